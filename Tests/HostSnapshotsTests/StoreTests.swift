import FleetWire
import Foundation
import Glibc
import SQLiteFile
import Testing

@testable import HostSnapshots

@Suite struct StoreTests {
    private func damage(_ path: String, at offset: Int) throws {
        let url = URL(fileURLWithPath: path)
        var bytes = try Data(contentsOf: url)
        bytes[offset] ^= 0xFF
        try bytes.write(to: url)
    }

    private func pack(_ scratch: Scratch) throws -> String {
        let folder = scratch.path + "/points/packs"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return folder + "/" + (try #require(names.first { $0.hasSuffix(".pack") }))
    }

    @Test func aDamagedObjectIsFoundByVerifyAndByRestoreBeforeTheFirstChange() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/a", String(repeating: "abc", count: 1000))
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/tree")])
        try damage(try pack(scratch), at: 55)
        #expect(try !store.verify(point.id, deep: true).isEmpty)
        try scratch.write("/tree/a", "new")
        try scratch.write("/tree/added", "new")
        let before = try scratch.view("/tree")
        #expect(throws: PointError.self) { try store.restore(point: point.id) }
        #expect(try scratch.view("/tree") == before)
    }

    @Test func aDamagedPackTableOrManifestIsFoundAndNeverTraps() throws {
        let scratch = try Scratch()
        try scratch.write("/a", "abc")
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/a")])
        let manifest = scratch.path + "/points/points/p1.json"
        for path in [manifest, try pack(scratch)] {
            let good = try Data(contentsOf: URL(fileURLWithPath: path))
            for offset in good.indices {
                try damage(path, at: offset)
                _ = try store.list()
                // A pack's magic and record headers only serve to rebuild a lost table.
                let found = try store.verify(point.id, deep: true)
                if path == manifest { #expect(!found.isEmpty, "byte \(offset)") }
                try good.write(to: URL(fileURLWithPath: path))
            }
            for count in 0..<good.count {
                try good.prefix(count).write(to: URL(fileURLWithPath: path))
                #expect(try !store.verify(point.id, deep: true).isEmpty, "cut at \(count)")
            }
            try good.write(to: URL(fileURLWithPath: path))
        }
        try damage(manifest, at: 100)
        #expect(try store.list().first?.reason.hasPrefix("DAMAGED") == true)
    }

    @Test func equalContentIsStoredOnce() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        let store = try scratch.store()
        let noise = (0..<200_000).map { _ in String(UInt8.random(in: 0...255), radix: 16) }.joined()
        try scratch.write("/tree/a", noise)
        try scratch.write("/tree/b", noise)
        func size() throws -> Int {
            let folder = scratch.path + "/points/packs"
            return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) {
                $0 + (try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $1)).count)
            }
        }
        _ = try take(store, "p1", [try files("/tree")])
        let first = try size()
        #expect(first < noise.utf8.count)
        _ = try take(store, "p2", [try files("/tree")])
        #expect(try size() == first)
        #expect(try store.list().map(\.id.rawValue) == ["p1", "p2"])
        #expect(throws: PointError.self) { try take(store, "p2", [try files("/tree")]) }
    }

    @Test func unknownDriversAndBrokenFlagFilesAreRefused() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let unknown = ComponentSpec(name: try name("x"), driver: .unknown("zfs"), restart: false)
        #expect(throws: PointError.self) { try take(store, "p1", [unknown]) }
        let flags = ComponentSpec(
            name: try name("f"), driver: .flags(path: "/flags.json"), restart: false)
        try scratch.write("/flags.json", "{\"flags\": []}")
        #expect(throws: PointError.self) { try take(store, "p1", [flags]) }
        try scratch.write("/flags.json", "{\"flags\": {\"a\": {\"state\": \"ENABLED\"}}}")
        let point = try take(store, "p1", [flags])
        try scratch.write("/flags.json", "{")
        _ = try store.restore(point: point.id)
        #expect(try store.show(point.id).entries.count == 1)
        #expect(try store.list().count == 1)
    }

    @Test func aDatabaseComesBackWhileAnOldLogLiesBesideIt() throws {
        let scratch = try Scratch()
        let path = scratch.root + "/db"
        let spec = ComponentSpec(name: try name("db"), driver: .sqlite(path: "/db"), restart: true)
        let service = ComponentSpec(
            name: try name("service"), driver: .service(ServiceControl(unit: "app")),
            restart: false)
        scratch.services.active = ["app"]
        let store = try scratch.store()
        let writer = try SQLiteConnection(path: path)
        try writer.makeDurable()
        try writer.run(
            script: "CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA user_version=7")
        let state = try store.stateDigest([spec, service])
        let point = try take(store, "p1", [spec, service])
        #expect(try store.stateDigest([spec, service]) == state)
        try writer.run(script: "PRAGMA wal_checkpoint(TRUNCATE)")
        #expect(try store.stateDigest([spec, service]) == state)
        try writer.run(script: "INSERT INTO t VALUES (2)")
        #expect(try store.stateDigest([spec, service]) != state)
        var progress: [String] = []
        _ = try store.restore(point: point.id) { progress.append($0.path) }
        #expect(progress == ["/db"])
        #expect(scratch.services.calls == ["stop app", "start app"])
        let restored = try SQLiteConnection(path: path)
        #expect(try restored.query("SELECT a FROM t") == [[.integer(1)]])
        #expect(try restored.userVersion() == 7)
        #expect(try store.stateDigest([spec, service]) == state)
    }

    @Test func aDatabaseThatWasAbsentIsRemovedWithItsLog() throws {
        let scratch = try Scratch()
        let spec = ComponentSpec(name: try name("db"), driver: .sqlite(path: "/db"), restart: true)
        let store = try scratch.store()
        let point = try take(store, "p1", [spec])
        let writer = try SQLiteConnection(path: scratch.root + "/db")
        try writer.makeDurable()
        try writer.run(script: "CREATE TABLE t (a)")
        _ = try store.restore(point: point.id)
        for suffix in ["", "-wal", "-shm"] {
            #expect(access(scratch.root + "/db" + suffix, F_OK) != 0)
        }
    }

    @Test func aServiceIsBroughtToItsCapturedState() throws {
        let scratch = try Scratch()
        let spec = ComponentSpec(
            name: try name("service"), driver: .service(ServiceControl(unit: "app")),
            restart: false)
        let store = try scratch.store()
        let point = try take(store, "p1", [spec])
        scratch.services.active = ["app"]
        _ = try store.restore(point: point.id)
        #expect(scratch.services.calls == ["stop app"])
    }

    @Test func anUnchangedFileIsNotReadAgainAndADamagedIndexIsThrownAway() throws {
        let scratch = try Scratch()
        try scratch.write("/a", String(repeating: "abcde", count: 1000))
        let store = try scratch.store()
        let spec = try files("/a")
        let deadline = ContinuousClock.now + .seconds(10)
        var number = 0
        // A file is believed once its change lies back further than the clock is coarse.
        while try store.spaceNeeded([spec]).count > 300, ContinuousClock.now < deadline {
            number += 1
            _ = try take(store, "p\(number)", [spec])
        }
        let state = try store.stateDigest([spec])
        #expect(try store.spaceNeeded([spec]).count < 300)
        let index = scratch.path + "/points/unchanged.index"
        for offset in try Data(contentsOf: URL(fileURLWithPath: index)).indices {
            try damage(index, at: offset)
            #expect(try store.stateDigest([spec]) == state)
            try damage(index, at: offset)
        }
        try damage(index, at: 50)
        #expect(try store.spaceNeeded([spec]).count > 300)
        #expect(try take(store, "last", [spec]).components.first?.bytes == ByteCount(5000))
        try scratch.write("/a", "abd")
        #expect(try store.stateDigest([spec]) != state)
    }

    @Test func aServiceLeftStoppedByAnInterruptedRestoreIsStartedByTheNext() throws {
        let scratch = try Scratch()
        try scratch.write("/a", "old")
        var spec = try files("/a")
        spec.restart = true
        let service = ComponentSpec(
            name: try name("service"), driver: .service(ServiceControl(unit: "app")),
            restart: false)
        scratch.services.active = ["app"]
        var store = try scratch.store()
        let point = try take(store, "p1", [spec, service])
        try scratch.write("/a", "new")
        store.beforeChange = { what in
            if what.hasPrefix("start") { throw TestFailure("interrupted") }
        }
        #expect(throws: TestFailure.self) {
            try store.restore(point: point.id, components: [try name("release")])
        }
        #expect(scratch.services.active.isEmpty)
        store.beforeChange = { _ in }
        _ = try store.restore(point: point.id, components: [try name("release")])
        #expect(scratch.services.active == ["app"])
    }

    @Test func idsSortByTime() {
        let one = PointStore.makeID(at: Timestamp(milliseconds: 1_700_000_000_009), random: [1, 2])
        let two = PointStore.makeID(
            at: Timestamp(milliseconds: 1_700_000_000_010), random: [0, 0, 0, 255])
        #expect(one.rawValue == "20231114T221320009Z-01020000")
        #expect(two.rawValue == "20231114T221320010Z-000000ff")
        #expect(PointID(two.rawValue) != nil)
    }
}
