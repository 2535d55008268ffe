import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A capture that is cut at each of its system calls leaves the tree as it was and a store that
/// opens, whose points are whole; what `create` returned is there, even if the power goes.
@Suite struct CaptureCrashTests {
    private static let faults: [Fault] =
        [.fails, .interrupts, .shortens, .tears, .stops, .tearsAndStops] + CrashWorld.losses(3)

    @Test func theFirstCapture() throws {
        let world = try CrashWorld { try CrashTree.make($0.root) }
        try sweep(world, earlier: [])
    }

    @Test func aCaptureAfterChanges() throws {
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            _ = try take(scratch.store(), "p1", [CrashTree.spec()])
            try CrashTree.change(scratch.root)
        }
        try sweep(world, earlier: ["p1"])
    }

    private func sweep(_ world: CrashWorld, earlier: [String]) throws {
        let spec = try CrashTree.spec()
        let image = try TreeImage(reading: world.scratch.path)
        let before = (image.lines("/root/one") + image.lines("/root/tree"))
        let outside = image.lines("/root/outside")
        for fault in Self.faults {
            let runs = try world.sweep(fault) {
                _ = try take($0, "p2", [spec])
            } problems: { outcome in
                var problems: [String] = []
                if outcome.component() != before { problems.append("the tree changed") }
                if outcome.neighbour() != outside { problems.append("the neighbour changed") }
                let (points, found) = try world.storeProblems()
                problems += found
                if points.filter({ $0 != "p2" }) != earlier { problems.append("points: \(points)") }
                if outcome.isDone, !points.contains("p2") { problems.append("p2 is lost") }
                if !outcome.fault.isDeadly, !outcome.trace.contains("remove") {
                    problems += outcome.image.scratchNames().map { "\($0) is left over at once" }
                }
                return problems + (try world.nextCaptureProblems([spec]))
            }
            #expect(runs > 1, "\(fault) happened nowhere")
        }
    }
}
