import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// How a restore goes about it: whole trees, leftovers, what it refuses beforehand.
@Suite struct TreeRestoreTests {
    private func fill(_ scratch: Scratch, _ text: String, count: Int = 12) throws {
        mkdir(scratch.root + "/tree", 0o755)
        mkdir(scratch.root + "/tree/sub", 0o750)
        for number in 0..<count {
            let folder = number % 2 == 0 ? "/tree" : "/tree/sub"
            try scratch.write("\(folder)/f\(number)", "\(text) \(number)")
        }
        link(scratch.root + "/tree/f0", scratch.root + "/tree/sub/linked")
        symlink("f2", scratch.root + "/tree/pointer")
    }

    @Test func aTreeThatIsGoneIsBuiltBesideAndRenamedOnce() throws {
        let scratch = try Scratch()
        try fill(scratch, "old")
        var store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        let before = try scratch.view("/tree")
        try Scratch.run(["rm", "-r", scratch.root + "/tree"])
        let log = ChangeLog()
        store.beforeChange = { log.lines.append($0) }
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
        #expect(log.lines.filter { $0.hasPrefix("rename") } == ["rename /tree"])
    }

    @Test func aRestoreOfGoneTreesFinishesWhenItIsRunAgain() throws {
        for stop in 1...10_000 {
            let scratch = try Scratch(inMemory: true)
            try fill(scratch, "old", count: 4)
            var store = try scratch.store()
            let point = try take(store, "p1", [try files("/tree")])
            let before = try scratch.view("/tree")
            try Scratch.run(["rm", "-r", scratch.root + "/tree/sub"])
            try scratch.write("/tree/f2", "other")
            let counter = Counter(stop)
            store.beforeChange = { _ in try counter.count() }
            let finished = (try? store.restore(point: point.id)) != nil
            store.beforeChange = nil
            _ = try store.restore(point: point.id)
            #expect(try scratch.view("/tree") == before, "stopped at \(stop)")
            #expect(try store.changes(point: point.id).isEmpty)
            if finished { return }
        }
        Issue.record("the restore never finished")
    }

    @Test func aFailureBeforeTheFirstChangeLeavesNoTrace() throws {
        let scratch = try Scratch()
        try fill(scratch, "old")
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        for number in 0..<6 { try scratch.write("/tree/f\(number * 2)", "new content") }
        try scratch.write("/tree/added", "x")
        let before = try scratch.view("/tree")
        let packs = try FileManager.default.contentsOfDirectory(
            atPath: scratch.path + "/points/packs")
        for pack in packs {
            let path = scratch.path + "/points/packs/" + pack
            var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            // Past the header of the first record: the content of a file.
            bytes[8 + 41] ^= 0xFF
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        #expect(throws: PointError.self) { try store.restore(point: point.id) }
        #expect(try scratch.view("/tree") == before)
    }

    @Test func leftoversOfAnInterruptedRestoreAreNeverCaptured() throws {
        let scratch = try Scratch()
        try fill(scratch, "old")
        var store = try scratch.store()
        let spec = try files("/tree", exclude: [".*"])
        let point = try take(store, "p1", [spec])
        let before = try scratch.view("/tree")
        for number in 0..<3 { try scratch.write("/tree/f\(number * 2)", "new content") }
        store.beforeChange = { if $0.hasPrefix("sync") { throw TestFailure("interrupted") } }
        // What a crash leaves, a failure takes back: so the crash is made of one that failed twice.
        let job = try store.job(store.manifest(point.id).0, nil, RestoreReport { _ in })
        let plans = try job.plans(tolerant: false)
        let tree = TreeRestore(
            root: job.reader.root, objects: job.objects, beforeChange: store.beforeChange)
        #expect(throws: TestFailure.self) { try tree.prepare(plans, RestoreReport { _ in }) }
        store.beforeChange = nil
        func leftovers() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: scratch.root + "/tree")
                .filter { $0.hasPrefix(".belay~") }
        }
        #expect(try leftovers().count == 3)
        let other = try take(store, "p2", [spec])
        #expect(try !store.show(other.id).entries.contains { $0.contains(".belay") })
        _ = try store.restore(point: point.id)
        #expect(try leftovers().isEmpty)
        #expect(try scratch.view("/tree") == before)
    }

    @Test func aHardLinkFollowsItsFirstNameWhateverOfThemDiffers() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/a", "shared")
        link(scratch.root + "/tree/a", scratch.root + "/tree/b")
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        let before = try scratch.view("/tree")
        for change in [
            { () throws in _ = chmod(scratch.root + "/tree/a", 0o600) },
            { () throws in try scratch.write("/tree/a", "other") },
            { () throws in unlink(scratch.root + "/tree/a") },
            { () throws in unlink(scratch.root + "/tree/b") },
            { () throws in
                unlink(scratch.root + "/tree/b")
                try scratch.write("/tree/b", "shared")
            },
        ] {
            try change()
            #expect(try scratch.view("/tree") != before)
            _ = try store.restore(point: point.id)
            #expect(try scratch.view("/tree") == before)
        }
    }

    @Test func whileServicesStopWhatTheyWroteIsFoundAndWhatStoodBesideIsKept() throws {
        let scratch = try Scratch()
        try fill(scratch, "old")
        var spec = try files("/tree")
        spec.restart = true
        let service = ComponentSpec(
            name: try name("service"), driver: .service(ServiceControl(unit: "app")),
            restart: false)
        scratch.services.active = ["app"]
        var store = try scratch.store()
        let point = try take(store, "p1", [spec, service])
        let before = try scratch.view("/tree")
        try scratch.write("/tree/f0", "changed")
        try scratch.write("/tree/f2", "changed")
        let log = ChangeLog()
        let root = scratch.root
        store.beforeChange = { what in
            log.lines.append(what)
            guard what.hasPrefix("stop") else { return }
            // The service's last words: one more file, and one as it was.
            try? Data("more".utf8).write(to: URL(fileURLWithPath: root + "/tree/f4"))
            rmdir(root + "/tree/none")
            mkdir(root + "/tree/late", 0o755)
        }
        _ = try store.restore(point: point.id)
        #expect(try scratch.view("/tree") == before)
        let created = log.lines.filter { $0.hasPrefix("create") }
        // f0 has a second name, which is a link; f4 was written by the service.
        #expect(created == ["create /tree/f0", "create /tree/f2", "create /tree/f4"])
        #expect(scratch.services.calls == ["stop app", "start app"])
    }

    @Test func whatOnlyRootCanDoIsRefusedBeforeAnythingChanges() throws {
        let rights = RestoreRights(user: 1000, groups: [1000])
        var entry = Entry(kind: .regular, path: Array("/tree/a".utf8))
        (entry.owner, entry.group) = (1000, 1000)
        try rights.check(nil, entry)
        entry.owner = 0
        let error = #expect(throws: PointError.self) { try rights.check(nil, entry) }
        #expect(error?.description.contains("belonged to user 0") == true)
        let device = Entry(kind: .blockDevice, path: Array("/tree/d".utf8))
        #expect(throws: PointError.self) { try rights.check(nil, device) }
        var folder = Entry(kind: .directory, path: Array("/tree".utf8))
        (folder.owner, folder.mode) = (0, 0o755)
        rights.enter(folder)
        entry.owner = 1000
        #expect(throws: PointError.self) { try rights.check(entry, nil) }
    }

    @Test(.enabled(if: geteuid() == 0, "chattr needs root"))
    func immutableFilesInTheWayAreNamedBeforeAnythingChanges() throws {
        let scratch = try Scratch()
        try fill(scratch, "old")
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        try scratch.write("/tree/f0", "new")
        try scratch.write("/tree/f2", "new")
        guard (try? Scratch.run(["chattr", "+i", scratch.root + "/tree/f2"])) != nil else { return }
        defer { _ = try? Scratch.run(["chattr", "-i", scratch.root + "/tree/f2"]) }
        let before = try scratch.view("/tree")
        let error = #expect(throws: PointError.self) { try store.restore(point: point.id) }
        #expect(error?.description.contains("immutable") == true)
        #expect(try scratch.view("/tree") == before)
        try Scratch.run(["chattr", "-i", scratch.root + "/tree/f2"])
        _ = try store.restore(point: point.id)
        #expect(try store.changes(point: point.id).isEmpty)
    }
}
