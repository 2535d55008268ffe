import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A prune or a repair that is cut at each of its system calls leaves every point that stays whole,
/// and the next one ends it.
///
/// Faults planted by hand in `StoreFiles.replace`, and what found them: no sync of `settings.json`, one
/// after its rename, or a removal before it (`theSettings`); no sync of `scrub.json` (both scrubs); none
/// of `format`, or that of a manifest after its rename (`theFirstCapture`).
@Suite struct StoreCrashTests {
    private static func noise(_ count: Int, seed: UInt64) -> String {
        var random = RandomTree(state: seed)
        return (0..<count).map { _ in String(random.next(36), radix: 36) }.joined()
    }

    /// Three points; much of what the first holds nobody needs without it.
    private func threePoints(_ scratch: Scratch) throws {
        try CrashTree.make(scratch.root)
        try CrashTree.file(scratch.root + "/tree/bulk", Self.noise(60_000, seed: 7), 0o644)
        _ = try take(scratch.store(), "p1", [CrashTree.spec()])
        try CrashTree.change(scratch.root)
        unlink(scratch.root + "/tree/bulk")
        try CrashTree.file(scratch.root + "/tree/second-bulk", Self.noise(900, seed: 8), 0o644)
        _ = try take(scratch.store(), "p2", [CrashTree.spec()])
        unlink(scratch.root + "/tree/second-bulk")
        try CrashTree.file(scratch.root + "/tree/last", Self.noise(900, seed: 9), 0o644)
        _ = try take(scratch.store(), "p3", [CrashTree.spec()])
    }

    private func prune(_ store: PointStore) throws {
        _ = try store.prune(
            keeping: PointRetention(count: 1), inUse: [],
            now: Timestamp(milliseconds: 1_700_000_000_124))
    }

    @Test func aPrune() throws {
        try prune(CrashWorld { try threePoints($0) }, CrashWorld.faults(losses: 3))
    }

    /// The catalogues lie in one pack and what they name in another, which cannot be opened at one
    /// call and can at the next: it must not be taken for one that nobody needs.
    @Test func aPruneThatOnceCannotOpenAPackLosesNothing() throws {
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            let spec = try CrashTree.spec()
            _ = try take(scratch.store(), "p1", [spec])
            try CrashTree.file(scratch.root + "/tree/one-more", "one more", 0o644)
            _ = try take(scratch.store(), "p2", [spec])
            _ = try scratch.store().prune(
                keeping: nil, inUse: [], removing: [PointID(unchecked: "p1")],
                now: Timestamp(milliseconds: 1_700_000_000_124))
        }
        #expect(try world.scratch.packs.count == 2)
        try world.sweep(Fault.fails, prune) { _ in
            let (points, found) = try world.storeProblems()
            return points == ["p2"] ? found : found + ["points: \(points)"]
        }
    }

    @Test func aPruneOfAnEncryptedStoreAtEachThirdCall() throws {
        let world = try CrashWorld { scratch in
            try scratch.seal()
            try threePoints(scratch)
        }
        try prune(world, CrashWorld.faults(losses: 1), stride: 3)
    }

    private func prune(_ world: CrashWorld, _ faults: [Fault], stride: Int = 1) throws {
        let spec = try CrashTree.spec()
        let root = try TreeImage(reading: world.scratch.path).lines("/root")
        for fault in faults {
            let runs = try world.sweep(fault, stride: stride, prune) { outcome in
                var problems = outcome.image.lines("/root") == root ? [] : ["the root changed"]
                let (points, found) = try world.storeProblems()
                problems += found
                if points.last != "p3" { problems.append("p3 is lost: \(points)") }
                // What cannot be read for a moment is left alone, and so is what may be needed.
                if outcome.isDone, !outcome.fault.mayLeaveMore, points != ["p3"] {
                    problems.append("points: \(points)")
                }
                try prune(try world.store())
                let again = try world.storeProblems()
                problems += again.problems
                if again.points != ["p3"] { problems.append("then points: \(again.points)") }
                let image = try TreeImage(reading: world.scratch.path)
                problems += image.scratchNames().map { "\($0) is left over" }
                let stored = image.lines("/points/packs").filter { $0.hasPrefix("/points/packs/") }
                let bytes = stored.compactMap { Self.size(of: $0) }.reduce(0, +)
                if bytes > 20_000 { problems.append("\(bytes) bytes are left in packs") }
                if outcome.number % 5 == 0 { problems += try world.nextCaptureProblems([spec]) }
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    /// Of each pack a byte of the stored bytes of the first record that is no catalogue, which the
    /// live tree may still hold, and one of the header of another, if there is one: two threads fill
    /// packs as they come, so that a catalogue may be the first.
    private func damage(_ scratch: Scratch) throws {
        let store = try scratch.store()
        let catalogues = try Set(
            store.ids().flatMap { id in
                let (manifest, codec) = (try store.manifest(id).0, try store.keys.writing())
                return manifest.components.flatMap(\.catalogue).map { codec.name(of: ObjectID($0)) }
            })
        for name in try scratch.packs {
            let path = scratch.packPath(name)
            let records = try PackFormat.records(of: Descriptor(open(path, O_RDONLY)), path: path)
            let first = try #require(records.first { !catalogues.contains($0.id) })
            try scratch.flip(path, Int(first.offset) + Int(first.stored) / 2)
            if let other = records.first(where: { $0 != first }) {
                try scratch.flip(path, Int(other.offset) - 1)
            }
        }
    }

    @Test func aRepair() throws {
        let world = try CrashWorld { scratch in
            try threePoints(scratch)
            try damage(scratch)
        }
        try repair(world, CrashWorld.faults(losses: 3))
    }

    @Test func aRepairOfAnEncryptedStoreAtEachFifthCall() throws {
        let world = try CrashWorld { scratch in
            try scratch.seal()
            try threePoints(scratch)
            try damage(scratch)
        }
        try repair(world, CrashWorld.faults(losses: 1), stride: 5)
    }

    private func repair(_ world: CrashWorld, _ faults: [Fault], stride: Int = 1) throws {
        let root = try TreeImage(reading: world.scratch.path).lines("/root")
        let damage = Set(try world.storeProblems().problems)
        #expect(!damage.isEmpty)
        var left: Set<String>?
        for fault in faults {
            let runs = try world.sweep(fault, stride: max(stride, fault.isDeadly ? 1 : 3)) {
                _ = try $0.repair()
            } problems: { outcome in
                var problems = outcome.image.lines("/root") == root ? [] : ["the root changed"]
                let (points, found) = try world.storeProblems()
                problems += Set(found.map(Self.withoutPack))
                    .subtracting(damage.map(Self.withoutPack)).map { "new: " + $0 }
                if points != ["p1", "p2", "p3"] { problems.append("points: \(points)") }
                _ = try world.store().repair()
                let after = Set(try world.storeProblems().problems.map(Self.withoutPack))
                left = left ?? after
                if after != left { problems.append("then \(after), not \(left ?? [])") }
                problems += try TreeImage(reading: world.scratch.path).scratchNames()
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
        // What only the live tree of an earlier point held cannot come back; the last point can.
        #expect(left?.contains { $0.hasPrefix("p3") } == false, "\(left ?? [])")
    }

    @Test func aScrubOfASoundStore() throws {
        let world = try CrashWorld { try threePoints($0) }
        try scrub(world, findings: 0)
    }

    @Test func aScrubOfADamagedStore() throws {
        let world = try CrashWorld { scratch in
            try threePoints(scratch)
            try damage(scratch)
        }
        try scrub(world, findings: 3)
    }

    private func scrub(_ world: CrashWorld, findings count: Int) throws {
        let expected = Set(try world.store().scrub(pace: nil).findings)
        #expect(expected.count >= count, "\(expected)")
        try world.reset()
        let before = try TreeImage(reading: world.scratch.path)
        for fault in CrashWorld.faults(losses: 2) {
            let runs = try world.sweep(fault, stride: 2) {
                _ = try $0.scrub(pace: nil)
            } problems: { outcome in
                var problems: [String] = []
                for part in ["/root", "/points/packs", "/points/points", "/points/format"]
                where outcome.image.lines(part) != before.lines(part) {
                    problems.append("\(part) changed")
                }
                let store = try world.store()
                // What could not be read for a moment may stand among them.
                let isExact = !outcome.fault.mayLeaveMore
                if outcome.isDone, isExact {
                    let state = try store.scrubState()
                    if state?.ended == nil { problems.append("it is not known to have ended") }
                    if Set(state?.findings ?? []) != expected { problems.append("\(state as Any)") }
                }
                let second = Set(try store.scrub(pace: nil).findings)
                if isExact, second != expected { problems.append("the next found \(second)") }
                if !second.isSuperset(of: expected), isExact { problems.append("some are lost") }
                let third = Set(try store.scrub(pace: nil).findings)
                if third != expected { problems.append("then \(third)") }
                return problems
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    /// After each cut the settings are the old ones or the new ones.
    @Test func theSettings() throws {
        let world = try CrashWorld { scratch in
            try scratch.seal()
            try CrashTree.make(scratch.root)
            _ = try take(scratch.store(), "p1", [CrashTree.spec()])
        }
        let old = try world.store().keys.settings()
        var new = old
        new.retention = PointRetention(count: 7)
        new.scrubEvery = .seconds(86_400)
        let spec = try CrashTree.spec()
        for fault in CrashWorld.faults(losses: 5) {
            let runs = try world.sweep(fault) {
                try $0.set(new)
            } problems: { outcome in
                let found = try world.store().keys.settings()
                var problems = found == old || found == new ? [] : ["\(found)"]
                if outcome.isDone, found != new { problems.append("the new ones are lost") }
                if !outcome.fault.isDeadly, !outcome.isDone, !outcome.trace.contains("rename"),
                    found != old
                {
                    problems.append("they changed though it failed")
                }
                let (points, troubles) = try world.storeProblems()
                if points != ["p1"] { problems.append("points: \(points)") }
                return problems + troubles + (try world.nextCaptureProblems([spec]))
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }

    private static func size(of line: String) -> Int? {
        line.split(separator: " ").first { $0.hasPrefix("size=") }.flatMap { Int($0.dropFirst(5)) }
    }

    /// The point and the path of a sentence about damage; packs change their names.
    private static func withoutPack(_ text: String) -> String {
        text.split(separator: ":").prefix(2).joined(separator: ":")
    }
}

extension Fault {
    /// True if an operation may end well and leave things for the next.
    var mayLeaveMore: Bool {
        switch self {
        case .fails: true
        case .interrupts, .shortens, .tears, .stops, .tearsAndStops, .losesPower, .losesPowerLater:
            false
        }
    }
}
