import FleetWire
import Foundation
import Glibc
import SQLiteFile
import Testing

@testable import HostSnapshots

/// Components that are more than a tree, cut at each system call of their capture and restore.
@Suite struct DriverCrashTests {
    /// A database, whose log holds what its file does not, is the old or the captured one.
    @Test func aDatabaseWhoseLogIsNotWrittenBack() throws {
        let scratch = try Scratch(inMemory: true)
        let subject = try DatabaseSubject(in: scratch)
        var captured: [String] = []
        var changed: [String] = []
        var held: SQLiteConnection?
        let world = try CrashWorld(scratch) { scratch in
            try CrashTree.makeNeighbour(scratch.root)
            try subject.make()
            _ = try take(scratch.store(), "p1", [subject.spec])
            captured = [try subject.view()]
            // As a program that was killed leaves it.
            let writer = try SQLiteConnection(path: scratch.root + "/db")
            try writer.makeDurable()
            try writer.run(script: "INSERT INTO t VALUES (3)")
            changed = [try subject.view()]
            held = writer
        }
        withExtendedLifetime(held) {}
        held = nil
        try world.reset()
        #expect(access(scratch.root + "/db-wal", F_OK) == 0 && captured != changed)
        let component = ComponentCrash(
            world: world, spec: subject.spec, view: { [try subject.view()] }, isIntrusive: true,
            between: ComponentCrash.either(changed, captured))
        try component.sweepCapture(CrashWorld.faults(losses: 1), stride: 3)
        try component.sweepRestore(to: captured, CrashWorld.faults(losses: 3), stride: 3)
    }

    /// Unit files, drop-ins and links; systemd lives on when the process dies, and starts what is
    /// enabled when the machine does.
    @Test func aService() throws {
        let scratch = try Scratch(inMemory: true)
        let subject = try ServiceSubject(in: scratch)
        var captured: [String] = []
        let world = try CrashWorld(scratch, services: subject.units) { scratch in
            try CrashTree.makeNeighbour(scratch.root)
            try subject.make()
            _ = try take(subject.store(), "p1", [subject.spec])
            captured = [try subject.view()]
            try subject.change()
        }
        let component = ComponentCrash(
            world: world, spec: subject.spec, view: { [try subject.view()] })
        try component.sweepCapture(CrashWorld.faults(losses: 1), stride: 3)
        try component.sweepRestore(to: captured, CrashWorld.faults(losses: 3), stride: 3)
    }
}

/// Captures, restores and prunes that clone, cut at their system calls, and by losses of power.
@Suite struct CloneCrashTests {
    private static let whyNot: Comment =
        "mounting a file system that clones needs root and its mkfs, and loop devices"

    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot))
    func clonesOnBtrfsAtEachFourthCall() throws { try sweep("btrfs") }

    @Test(.enabled(if: LoopDisk.isAvailable("xfs"), whyNot))
    func clonesOnXFSAtEachFourthCall() throws { try sweep("xfs") }

    private func noise(_ path: String, _ seed: UInt64) throws {
        var random = RandomTree(state: seed)
        let bytes = (0..<25_000).flatMap { _ in
            withUnsafeBytes(of: UInt64(random.next(1 << 62)) &* 0x9E37_79B9_7F4A_7C15, Array.init)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private func sweep(_ kind: String) throws {
        let spec = try files("/tree")
        var captured: [String] = []
        let scratch = try Scratch(on: kind, megabytes: 400)
        let world = try CrashWorld(scratch) { scratch in
            try CrashTree.makeNeighbour(scratch.root)
            mkdir(scratch.root + "/tree", 0o755)
            try noise(scratch.root + "/tree/large", 1)
            try scratch.write("/tree/small", "small")
            _ = try take(scratch.store(), "p1", [spec])
            captured = try TreeImage(reading: scratch.path).lines("/root/tree")
            try noise(scratch.root + "/tree/large", 2)
            try scratch.write("/tree/small", "other")
        }
        #expect(try scratch.store().files.names(in: "clones").count == 1)
        let view = ComponentCrash.files(world, "/tree")
        let component = ComponentCrash(
            world: world, spec: spec, view: view,
            between: ComponentCrash.eachEither(try view(), captured))
        let faults = [.fails, .stops] + CrashWorld.losses(2)
        try component.sweepCapture(faults, stride: 4)
        try component.sweepRestore(to: captured, faults, stride: 4)
        try pruned(world, spec, faults)
    }

    /// A prune of the second of two points takes its clone, and leaves that of the first.
    private func pruned(_ world: CrashWorld, _ spec: ComponentSpec, _ faults: [Fault]) throws {
        let second = PointID(unchecked: "p2")
        for fault in faults {
            let runs = try world.sweep(fault, stride: 4) { store in
                if try !store.list().contains(where: { $0.id == second }) {
                    _ = try take(store, "p2", [spec])
                }
                _ = try store.prune(
                    keeping: PointRetention(), inUse: [], removing: [second],
                    now: Timestamp(milliseconds: 1_700_000_000_124))
            } problems: { outcome in
                var (points, problems) = try world.storeProblems()
                if points.first != "p1" { problems.append("points: \(points)") }
                let isExact = outcome.isDone && !outcome.fault.mayLeaveMore
                if isExact, points != ["p1"] { problems.append("p2 stayed") }
                return problems + (try world.nextCaptureProblems([spec]))
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }
}
