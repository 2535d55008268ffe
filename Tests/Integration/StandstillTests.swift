import FleetWire
import Foundation
import Glibc
import RolloutCore
import Testing

@Suite("Hosts whose agent or guard was killed or stopped in the middle of a step", .serialized)
struct StandstillTests {
    /// A plan whose step `slow` lasts `seconds`, changes the host at its end, and is followed by
    /// one that leaves a trace.
    private func plan(_ name: String, seconds: String) -> TestPlan {
        var plan = TestPlan(name: name)
        plan.confirmWithin = "2s"
        plan.coordinatorLost = "rollback"
        plan.checks = [
            "{name: release-is-there, timeout: 5s, run: {shell: 'test -f $BELAY_ROOT/opt/app/release'}}"
        ]
        plan.extraSteps = [
            TestPlan.counted(
                "slow", then: "sleep \(seconds); echo late > $BELAY_ROOT/opt/app/release"),
            TestPlan.counted("after"),
        ]
        return plan
    }

    private func begin(_ plan: TestPlan, on fleet: TestFleet) async throws {
        let applied = try await fleet.belay(
            "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
        #expect(applied.status == 0, "\(applied.summary)")
        try await eventually("the slow step runs") {
            fleet.read("a1", "var/log/steps") == "slow\n"
        }
    }

    @Test("A step that outlived its agent is ended before the host goes back")
    func orphanedStep() async throws {
        try await withFleet(["a1"]) { fleet in
            let before = try fleet.tree("a1")
            try await begin(plan("orphan", seconds: "4"), on: fleet)
            try await fleet.agents["a1"]?.killNow()
            try fleet.startAgent("a1")
            let ended = try await fleet.ended()
            #expect(ended.state == .rolledBack, "\(ended.reason)")
            #expect(try fleet.tree("a1") == before)
            let left = processes(in: fleet.root("a1").path)
            #expect(left.isEmpty, "the step still runs")
        }
    }

    @Test("An agent that stands still is ended, its host goes back, and no further step runs")
    func frozenAgent() async throws {
        try await withFleet(["a1"]) { fleet in
            let before = try fleet.tree("a1")
            try await begin(plan("frozen", seconds: "0.5"), on: fleet)
            let agent = try #require(fleet.agents["a1"])
            kill(agent.pid, SIGSTOP)
            try await eventually("the guard takes the host back", within: .seconds(40)) {
                try fleet.tree("a1") == before
            }
            kill(agent.pid, SIGCONT)
            try await eventually("the agent was ended") { !agent.isRunning }
            try fleet.startAgent("a1")
            let ended = try await fleet.ended()
            #expect(ended.state == .rolledBack, "\(ended.reason)")
            #expect(try fleet.tree("a1") == before)
            #expect(fleet.read("a1", "var/log/steps") == "slow\n")
        }
    }

    @Test("A guard that was killed is replaced, and still guards when the agent dies later")
    func killedGuard() async throws {
        try await withFleet(["a1"]) { fleet in
            let before = try fleet.tree("a1")
            try await begin(plan("unguarded", seconds: "20"), on: fleet)
            // What starts a guard bears its arguments for a moment too.
            try await eventually("one guard watches") { guards(of: fleet).count == 1 }
            let first = guards(of: fleet)
            for pid in first { kill(pid, SIGKILL) }
            try await eventually("another guard watches") {
                guards(of: fleet).contains { !first.contains($0) }
            }
            try await fleet.agents["a1"]?.killNow()
            try await eventually("the new guard takes the host back", within: .seconds(30)) {
                try fleet.tree("a1") == before
            }
        }
    }

    /// Programs that the host's agent started: they carry its root in their environment.
    private func processes(in root: String) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { pid in
            let variables = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
            return String(decoding: variables, as: UTF8.self).contains("BELAY_ROOT=\(root)\0")
        }
    }

    private func guards(of fleet: TestFleet) -> [Int32] {
        fleet.processesOfThisFleet().filter {
            let line = FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data()
            return String(decoding: line, as: UTF8.self).contains("--watch")
        }
    }
}
