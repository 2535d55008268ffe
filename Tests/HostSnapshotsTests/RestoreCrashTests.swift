import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A restore that is cut at each of its system calls touches nothing outside, shows no file that is
/// neither the old nor the captured one, and finishes when it is run again; one that returned is
/// exact, even if the power goes.
@Suite struct RestoreCrashTests {
    @Test func aTreeThatChangedInEveryWay() throws {
        try sweep(CrashWorld.faults(losses: 2), stride: 3) { scratch in
            try CrashTree.change(scratch.root)
        }
    }

    /// Above it there is only the root itself.
    @Test func aTreeAtTheTopThatIsGone() throws {
        try sweep(CrashWorld.losses(2), stride: 3) { scratch in
            try Scratch.erase(Array((scratch.root + "/tree").utf8))
            unlink(scratch.root + "/one")
            try CrashTree.file(scratch.root + "/one", "another one", 0o644)
        }
    }

    @Test func aTreeOfAnEncryptedStoreAtEachFifthCall() throws {
        try sweep(CrashWorld.faults(losses: 1), stride: 5, isSealed: true) { scratch in
            try CrashTree.change(scratch.root)
        }
    }

    private func sweep(
        _ faults: [Fault], stride: Int = 1, isSealed: Bool = false,
        _ change: (Scratch) throws -> Void
    ) throws {
        let spec = try CrashTree.spec()
        var captured: [String] = []
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            if isSealed {
                try scratch.seal()
                try CrashTree.file(scratch.root + "/tree/secret", CrashTree.secret, 0o600)
            }
            _ = try take(scratch.store(), "p1", [spec])
            let image = try TreeImage(reading: scratch.path)
            captured = image.lines("/root/one") + image.lines("/root/tree")
            try change(scratch)
            if isSealed { unlink(scratch.root + "/tree/secret") }
        }
        let view = ComponentCrash.files(world, "/one", "/tree")
        try ComponentCrash(
            world: world, spec: spec, view: view,
            between: ComponentCrash.eachEither(view(), captured),
            secret: isSealed ? CrashTree.secret : nil
        ).sweepRestore(to: captured, faults, stride: stride)
    }

    /// Of a tree that is nearly all different, the old one or the captured one stands there, whole.
    @Test func aTreeThatIsExchangedAsAWhole() throws {
        try exchange(refusing: [], CrashWorld.faults(losses: 2), ComponentCrash.either)
    }

    /// Where the file system cannot exchange, each file is old or captured, or not there yet.
    @Test func aTreeThatIsSwitchedWhereNothingCanBeExchanged() throws {
        try exchange(
            refusing: [.exchange], [.stops] + CrashWorld.losses(1), ComponentCrash.eachEither)
    }

    private func exchange(
        refusing refused: Set<FileCall.Kind>, _ faults: [Fault],
        _ between: ([String], [String]) -> ([String]) -> [String]
    ) throws {
        let spec = try files("/tree")
        var captured: [String] = []
        let world = try CrashWorld { scratch in
            try CrashTree.makeNeighbour(scratch.root)
            try ExchangeTests.fill(scratch, "old")
            _ = try take(scratch.store(), "p1", [spec])
            captured = try TreeImage(reading: scratch.path).lines("/root/tree")
            try ExchangeTests.fill(scratch, "new")
            try scratch.write("/tree/added", "x")
        }
        let view = ComponentCrash.files(world, "/tree")
        let changed = try view()
        var store = try world.store()
        let log = ChangeLog()
        store.beforeChange = { log.lines.append($0) }
        _ = try store.restore(point: PointID(unchecked: "p1"))
        #expect(log.lines.contains("exchange /tree"))
        world.refused = refused
        try ComponentCrash(
            world: world, spec: spec, view: view, between: between(changed, captured)
        ).sweepRestore(to: captured, faults, stride: 3)
    }
}
