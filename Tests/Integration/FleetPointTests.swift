import FleetWire
import Foundation
import OperatorAPI
import Testing

@Suite("Points over a fleet of real processes", .serialized)
struct FleetPointTests {
    private func answers(_ output: ChildProcess.Output) throws -> [PointAnswer] {
        try WireJSON.decode([PointAnswer].self, from: Array(output.out.utf8))
    }

    /// A first rollout tells the hosts their components.
    private func rollOut(_ fleet: TestFleet) async throws {
        let applied = try await fleet.belay(
            "apply", try fleet.plan(TestPlan().yaml), "--auto-approve")
        #expect(applied.status == 0, "\(applied.summary)")
    }

    private func write(_ text: String, _ path: String, on host: String, _ fleet: TestFleet) throws {
        try Data(text.utf8).write(to: fleet.root(host).appendingPathComponent(path))
    }

    @Test("A point of one name is the fleet's point in time: made, compared, restored, verified")
    func fleetPoint() async throws {
        try await withFleet(["a1", "a2", "b1"]) { fleet in
            try await rollOut(fleet)
            let before = try fleet.hosts.map { try fleet.tree($0) }
            let made = try await fleet.belay(
                "point", "create", "--hosts", "app=test", "--name", "before-upgrade", "--reason",
                "kernel", "-o", "json")
            #expect(made.status == 0, "\(made.summary)")
            #expect(
                try answers(made).allSatisfy { $0.reply?.points.first?.name == "before-upgrade" })
            #expect(made.err.contains("b1  made"), "\(made.err)")
            let again = try await fleet.belay(
                "point", "create", "--host", "a1", "--name", "before-upgrade")
            #expect(again.status == 14, "\(again.summary)")
            for host in fleet.hosts {
                try write("3\n", "opt/app/release", on: host, fleet)
                try write("x\n", "opt/app/late", on: host, fleet)
            }
            let differs = try await fleet.belay(
                "point", "diff", "--name", "before-upgrade", "--all", "-o", "json")
            #expect(differs.status == 0, "\(differs.summary)")
            for answer in try answers(differs) {
                let paths = answer.reply?.changes?.map { "\($0.change.rawValue) \($0.path)" } ?? []
                #expect(paths.contains("content /opt/app/release"), "\(paths)")
                #expect(paths.contains("added /opt/app/late"), "\(paths)")
            }
            let rehearsed = try await fleet.belay(
                "point", "restore", "--name", "before-upgrade", "--all", "--dry-run")
            #expect(rehearsed.status == 0, "\(rehearsed.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "3\n")
            let unasked = try await fleet.belay(
                "point", "restore", "--name", "before-upgrade", "--all")
            #expect(unasked.status == 5, "\(unasked.summary)")
            let restored = try await fleet.belay(
                "point", "restore", "--name", "before-upgrade", "--all", "--auto-approve",
                "--reason", "back")
            #expect(restored.status == 0, "\(restored.summary)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
            let whole = try await fleet.belay(
                "point", "verify", "before-upgrade", "--all", "--deep")
            #expect(whole.status == 0, "\(whole.summary)")
            #expect(whole.out.components(separatedBy: "whole").count == 4, "\(whole.out)")
            let audit = try await fleet.belay("events", "--stream", "fleet")
            #expect(audit.out.contains("points_ordered"), "\(audit.summary)")
        }
    }

    @Test("With a host away nothing is restored, unless it is to go on without it")
    func away() async throws {
        try await withFleet(["a1", "a2", "b1"]) { fleet in
            try await rollOut(fleet)
            let made = try await fleet.belay("point", "create", "--all", "--name", "good")
            #expect(made.status == 0, "\(made.summary)")
            try await fleet.agents["b1"]?.killNow()
            try await eventually("b1 is away") { try await !fleet.view("b1").connected }
            for host in ["a1", "a2"] { try write("3\n", "opt/app/release", on: host, fleet) }
            let listed = try await fleet.belay("point", "list", "--name", "good")
            #expect(listed.status == 4, "\(listed.summary)")
            #expect(listed.out.contains("a2") && listed.err.contains("b1: its agent is not"))
            let refused = try await fleet.belay(
                "point", "restore", "good", "--all", "--auto-approve")
            #expect(refused.status == 4, "\(refused.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "3\n")
            let restored = try await fleet.belay(
                "point", "restore", "good", "--all", "--auto-approve", "--keep-going")
            #expect(restored.status == 4, "\(restored.summary)")
            for host in ["a1", "a2"] { #expect(fleet.read(host, "opt/app/release") == "2\n") }
            let pruned = try await fleet.belay(
                "point", "prune", "good", "--hosts", "zone=a", "--auto-approve", "-o", "json")
            #expect(pruned.status == 0, "\(pruned.summary)")
            let gone = try await fleet.belay("point", "show", "good", "--host", "a1")
            #expect(gone.status == 13, "\(gone.summary)")
        }
    }
}
