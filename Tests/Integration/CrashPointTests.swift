import FleetWire
import Foundation
import Glibc
import OperatorAPI
import RolloutCore
import Testing

/// The names are those of `CrashPoint` in the module SQLiteFile, which debug builds alone obey.
@Suite("Daemons that die at each write of their journals", .serialized)
struct CrashPointTests {
    /// Where one life of a daemon ends: at the `time`th passing of `point`.
    private struct Death {
        let point: String
        let time: Int
        var environment: [String: String] { ["BELAY_CRASH_AT": "\(point):\(time)"] }
    }

    private static let killed: Int32 = 128 + SIGKILL
    /// A life that does not come to its place ends after this; then nothing is left to be written.
    private static let lifeMax = Duration.seconds(4)

    /// Long deadlines: most of the time some daemon is dead.
    private func plan(_ name: String) -> TestPlan {
        var plan = TestPlan(name: name)
        plan.confirmWithin = "300s"
        plan.stageDeadline = "600s"
        plan.extraSteps = [TestPlan.counted("once")]
        return plan
    }

    private func apply(_ plan: TestPlan, to fleet: TestFleet) async throws {
        let applied = try await fleet.belay(
            "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
        #expect(applied.status == 0, "\(applied.summary)")
    }

    /// The host is wholly old or wholly new, as the rollout says, and its step ran once at most.
    private func expectWhole(
        _ ended: RolloutView, _ fleet: TestFleet, old: [String: String]
    ) async throws {
        switch ended.state {
        case .succeeded:
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            #expect(fleet.read("a1", "var/log/steps") == "once\n")
        case .rolledBack:
            #expect(try fleet.tree("a1") == old)
            #expect((fleet.read("a1", "var/log/steps") ?? "once\n") == "once\n")
        case .planned, .awaitingApproval, .running, .paused, .rollingBack, .rollbackFailed,
            .aborted:
            Issue.record("it ended as \(ended.state): \(ended.reason)")
        }
        let audit = try await fleet.belay("audit", "verify")
        #expect(audit.status == 0, "\(audit.summary)")
    }

    /// True if the daemon died at its place.
    private func died(_ life: ChildProcess) async throws -> Bool {
        let deadline = ContinuousClock.now + Self.lifeMax
        while life.isRunning, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        guard life.isRunning else {
            let status = try await life.wait()
            #expect(status == Self.killed, "it ended by itself with \(status)")
            return true
        }
        try await life.killNow()
        return false
    }

    @Test("The coordinator dies before and after each write, and the rollout goes on to its end")
    func coordinator() async throws {
        try await withFleet(["a1"]) { fleet in
            let old = try fleet.tree("a1")
            try await apply(plan("crashing"), to: fleet)
            try await fleet.coordinator?.killNow()
            // The two of a start, then those of the rollout one by one: one life dies before the
            // next write, the following one right after it.
            for point in ["term.before", "term.after", "append.before", "append.after"] {
                let death = Death(point: point, time: 1)
                let life = try fleet.launchCoordinator(environment: death.environment)
                #expect(try await died(life), "\(point) was not reached")
            }
            var deaths = 0
            for _ in 0..<60 {
                var isMoving = false
                for point in ["append.before", "append.after"] {
                    let death = Death(point: point, time: 2)
                    let life = try fleet.launchCoordinator(environment: death.environment)
                    if try await died(life) {
                        deaths += 1
                        isMoving = true
                    }
                }
                if !isMoving { break }
            }
            #expect(deaths >= 10, "a rollout writes more often than \(deaths) times")
            try await fleet.startCoordinator()
            let ended = try await fleet.ended(within: .seconds(90))
            #expect(ended.state == .succeeded, "\(ended.reason)")
            try await expectWhole(ended, fleet, old: old)
        }
    }

    @Test("The coordinator dies amid the checkpoint of its stop, and the next start knows all")
    func checkpoint() async throws {
        for point in ["checkpoint.before", "checkpoint.after"] {
            try await withFleet(["a1"]) { fleet in
                let old = try fleet.tree("a1")
                try await fleet.coordinator?.killNow()
                // The first is the fleet's, the second the rollout's.
                for time in [1, 2] {
                    let death = Death(point: point, time: time)
                    let life = try fleet.launchCoordinator(environment: death.environment)
                    try await eventually("it answers") {
                        try await fleet.belay("status").status == 0
                    }
                    if time == 1 { try await apply(plan("stopped"), to: fleet) }
                    life.signal(SIGTERM)
                    #expect(try await died(life), "\(point) was not reached")
                }
                try await fleet.startCoordinator()
                let ended = try await fleet.ended(within: .seconds(90))
                #expect(ended.state == .succeeded, "\(ended.reason)")
                try await expectWhole(ended, fleet, old: old)
            }
        }
    }

    @Test("An agent dies at one write after the other, and its host ends in one whole version")
    func agent() async throws {
        try await withFleet(["a1"]) { fleet in
            var version = 1
            var deaths = 0
            for write in 1...12 {
                var plan = plan("to-\(write + 1)")
                plan.version = "\(write + 1)"
                plan.checks = [
                    "{name: there, timeout: 5s, run: {shell: 'test -f $BELAY_ROOT/opt/app/release'}}"
                ]
                plan.extraSteps = [TestPlan.counted("to-\(write + 1)")]
                try await apply(plan, to: fleet)
                for point in ["record.before", "record.after"] {
                    try await fleet.agents["a1"]?.killNow()
                    let death = Death(point: point, time: write)
                    try fleet.startAgent("a1", environment: death.environment)
                    if let life = fleet.agents["a1"], try await died(life) { deaths += 1 }
                }
                try fleet.startAgent("a1")
                let ended = try await fleet.ended(within: .seconds(90))
                try await fleet.allConnected()
                let wanted = ended.state == .succeeded ? write + 1 : version
                let found = KilledFleetTests.version(fleet, "a1")
                #expect(found == wanted, "after \(ended.state): \(ended.reason)")
                version = wanted
                let steps = (fleet.read("a1", "var/log/steps") ?? "").split(separator: "\n")
                #expect(Set(steps).count == steps.count, "it ran \(steps)")
            }
            #expect(deaths >= 12, "an agent writes more often than \(deaths) times")
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "\(audit.summary)")
        }
    }
}
