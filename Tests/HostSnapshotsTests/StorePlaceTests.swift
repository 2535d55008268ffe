import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// No component may hold the store, whose newer packs its restore would remove.
@Suite struct StorePlaceTests {
    private static func open(_ scratch: Scratch, _ directory: String) throws -> PointStore {
        try PointStore(directory: directory, root: scratch.root, services: scratch.services)
    }

    private static func scratchWithState() throws -> Scratch {
        let scratch = try Scratch()
        for folder in ["/state", "/state/belay", "/state/pointsmore"] {
            mkdir(scratch.root + folder, 0o755)
        }
        try scratch.write("/state/file", "old")
        return scratch
    }

    @Test(arguments: [
        "/state", "//state/", "/state/belay", "/state/belay/points", "/state/belay/points/packs",
        "/state/belay/points/missing",
    ])
    func aComponentThatHoldsTheStoreOrLiesInItIsRefused(path: String) throws {
        let scratch = try Self.scratchWithState()
        let direct = try Self.open(scratch, scratch.root + "/state/belay/points")
        // The operator may reach it by a link; what counts is where it lies.
        symlink(scratch.root + "/state/belay", scratch.path + "/alias")
        for store in [direct, try Self.open(scratch, scratch.path + "/alias/points")] {
            var specs = [try files(path), try files("/state/pointsmore", path)]
            specs[0].driver = .sqlite(path: path)
            specs.append(try files(path, exclude: ["file", "points/packs"]))
            for spec in specs {
                let error = #expect(throws: PointError.self) { try take(store, "p1", [spec]) }
                #expect(error?.description.contains("the store of rollback points") == true)
            }
            #expect(try store.list().isEmpty)
        }
    }

    @Test func aPointWhoseComponentCameToHoldTheStoreIsNotRestored() throws {
        let scratch = try Self.scratchWithState()
        let outside = scratch.path + "/outside"
        let point = try take(try Self.open(scratch, outside), "p1", [try files("/state")])
        let within = scratch.root + "/state/points"
        try FileManager.default.moveItem(atPath: outside, toPath: within)
        try scratch.write("/state/file", "new")
        let moved = try Self.open(scratch, within)
        let error = #expect(throws: PointError.self) { try moved.restore(point: point.id) }
        #expect(error?.description.contains("the store of rollback points") == true)
        #expect(try moved.list().count == 1)
        #expect(try String(contentsOfFile: scratch.root + "/state/file", encoding: .utf8) == "new")
    }

    @Test func besideTheStoreAndAroundItAllIsCaptured() throws {
        let scratch = try Self.scratchWithState()
        let store = try Self.open(scratch, scratch.root + "/state/belay/points")
        _ = try take(store, "p1", [try files("/state/pointsmore", "/state/file")])
        let around = try take(store, "p2", [try files("/state", exclude: ["/belay/points"])])
        _ = try take(store, "p3", [try files("/state", exclude: ["belay"])])
        try scratch.write("/state/file", "new")
        _ = try store.restore(point: around.id)
        #expect(try String(contentsOfFile: scratch.root + "/state/file", encoding: .utf8) == "old")
        #expect(try store.list().count == 3)
        for point in try store.list() { #expect(try store.verify(point.id, deep: true) == []) }
    }
}
