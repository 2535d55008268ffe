import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// What every driver must do, each put through the same list.
@Suite("Drivers, each through the same list", .serialized)
struct DriverConformanceTests {
    private func subject(_ kind: DriverKind) throws -> any DriverSubject {
        if let missing = kind.missing { try Test.cancel("\(kind) is not tested: \(missing)") }
        return try kind.subject()
    }

    private func state(_ subject: any DriverSubject) throws -> Digest {
        try subject.store().stateDigest([subject.spec])
    }

    private func captured(_ subject: any DriverSubject, _ id: String) throws -> PointSummary {
        try take(try subject.store(), id, [subject.spec])
    }

    /// What a restore would change.
    private func differs(_ subject: any DriverSubject, _ point: PointSummary) throws -> Bool {
        try !subject.store().changes(point: point.id).isEmpty
    }

    @Test(
        "a capture changes nothing, and what did not change has the same state",
        arguments: DriverKind.allCases)
    func unchanged(_ kind: DriverKind) throws {
        let subject = try subject(kind)
        try subject.make()
        let (view, before) = (try subject.view(), try state(subject))
        let first = try captured(subject, "p1")
        #expect(try subject.view() == view)
        #expect(try state(subject) == before)
        let second = try captured(subject, "p2")
        let states = try [first, second].map {
            try subject.store().manifest($0.id).0.components.map(\.state)
        }
        #expect(states[0] == states[1])
        #expect(try subject.store().verify(first.id).isEmpty)
        #expect(try !differs(subject, first))
    }

    @Test(
        "a change is seen, a restore takes it back, and another has nothing to do",
        arguments: DriverKind.allCases)
    func restored(_ kind: DriverKind) throws {
        let subject = try subject(kind)
        try subject.make()
        let (view, before) = (try subject.view(), try state(subject))
        let point = try captured(subject, "p1")
        try subject.change()
        #expect(try subject.view() != view)
        #expect(try state(subject) != before)
        #expect(try differs(subject, point))
        let changed = try captured(subject, "p2")
        let other = try subject.view()
        let done = try subject.store().restore(point: point.id)
        #expect(done.changed + done.removed > 0)
        #expect(try subject.view() == view)
        #expect(try state(subject) == before)
        #expect(try !differs(subject, point))
        let again = try subject.store().restore(point: point.id)
        #expect(again.changed == 0 && again.removed == 0)
        // A rollback can be rolled back.
        _ = try subject.store().restore(point: changed.id)
        #expect(try subject.view() == other)
    }

    @Test(
        "what was absent and is there now is removed, and what is absent now comes back",
        arguments: DriverKind.allCases)
    func absent(_ kind: DriverKind) throws {
        let subject = try subject(kind)
        #expect(try subject.view() == "absent")
        let empty = try state(subject)
        let nothing = try captured(subject, "p1")
        try subject.make()
        let view = try subject.view()
        let something = try captured(subject, "p2")
        #expect(try differs(subject, nothing))
        _ = try subject.store().restore(point: nothing.id)
        #expect(try subject.view() == "absent")
        #expect(try state(subject) == empty)
        #expect(try subject.store().restore(point: nothing.id).removed == 0)
        _ = try subject.store().restore(point: something.id)
        #expect(try subject.view() == view)
        try subject.remove()
        _ = try subject.store().restore(point: something.id)
        #expect(try subject.view() == view)
    }

    @Test(
        "a restore that is cut off before any of its changes is finished by the next",
        arguments: DriverKind.allCases)
    func interrupted(_ kind: DriverKind) throws {
        let subject = try subject(kind)
        try subject.make()
        let view = try subject.view()
        let point = try captured(subject, "p1")
        try subject.change()
        let other = try captured(subject, "p2")
        let changed = try subject.view()
        var cut = 0
        var wasCut = true
        while wasCut {
            wasCut = false
            let steps = Steps(before: cut)
            var store = try subject.store()
            store.beforeChange = { _ in try steps.next() }
            do {
                _ = try store.restore(point: point.id)
            } catch {
                #expect(error is Steps.Cut, "\(error)")
                wasCut = true
                let now = try subject.view()
                if subject.isAtomic { #expect(now == view || now == changed, "cut \(cut)") }
                _ = try subject.store().restore(point: point.id)
            }
            #expect(try subject.view() == view, "cut \(cut)")
            let left = try Scratch.run([
                "find", subject.scratch.root, "-path", "*/.belay-points/*restore.*", "-prune",
            ])
            #expect(left.isEmpty, "cut \(cut): \(left)")
            _ = try subject.store().restore(point: other.id)
            cut += 1
        }
        #expect(cut > 1)
    }

    @Test(
        "what cannot be captured is refused, and nothing of a point is left",
        arguments: DriverKind.allCases)
    func broken(_ kind: DriverKind) throws {
        let subject = try subject(kind)
        try subject.make()
        try subject.breakIt()
        #expect(throws: (any Error).self) { try captured(subject, "p1") }
        #expect(try subject.store().list().isEmpty)
        #expect(try subject.store().files.names(in: "tmp").isEmpty)
    }

    @Test("damage is found before the first change", arguments: DriverKind.allCases)
    func damaged(_ kind: DriverKind) throws {
        let subject = try subject(kind)
        try subject.make()
        let point = try captured(subject, "p1")
        try subject.change()
        let changed = try subject.view()
        try subject.damage()
        #expect(try !subject.store().verify(point.id, deep: true).isEmpty)
        var store = try subject.store()
        // Files are written beside, and cleared away again, before anything that stands changes.
        let beside = ["make", "create", "write", "link", "set", "remove", "sync"]
        let writesBeside = [.files, .config, .flags, .sqlite, .service].contains(kind)
        store.beforeChange = { what in
            let verb = String(what.prefix { $0 != " " })
            if writesBeside, beside.contains(verb) { return }
            Issue.record("\(what) in spite of damage")
        }
        #expect(throws: PointError.self) { try store.restore(point: point.id) }
        #expect(try subject.view() == changed)
    }
}

/// Counts changes and throws before one of them, for one thread.
private final class Steps: @unchecked Sendable {
    // Used by one thread of one test.
    struct Cut: Error {}
    private var left: Int

    init(before count: Int) { left = count }

    func next() throws {
        if left == 0 { throw Cut() }
        left -= 1
    }
}
