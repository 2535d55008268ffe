import FleetWire
import Foundation
import Glibc
import OperatorAPI
import RolloutCore
import SQLiteFile
import Testing

/// Debug builds alone obey crash points.
@Suite("Daemons that die at each write of their journals", .serialized)
struct CrashPointTests {
    /// Where one life of a daemon ends: at the `time`th passing of `point`.
    private struct Death {
        let point: CrashPoint
        let time: Int
        var environment: [String: String] { ["BELAY_CRASH_AT": "\(point.rawValue):\(time)"] }
    }

    // Each test below lets a daemon die at each of its points, and fails for one that is not reached.
    private static let ofStarts: [CrashPoint] = [.termBefore, .termAfter]
    private static let ofRollouts: [CrashPoint] = [.appendBefore, .appendAfter]
    private static let ofStops: [CrashPoint] = [.checkpointBefore, .checkpointAfter]
    private static let ofAgents: [CrashPoint] = [.recordBefore, .recordAfter]

    @Test("Each crash point that there is belongs to one of these tests")
    func all() {
        let tried = Self.ofStarts + Self.ofRollouts + Self.ofStops + Self.ofAgents
        #expect(Set(tried) == Set(CrashPoint.allCases))
        #expect(tried.count == CrashPoint.allCases.count)
    }

    private static let killed: Int32 = 128 + SIGKILL
    /// No life of a daemon lasts longer, however busy the machine is.
    private static let lifeMax = Duration.seconds(60)

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

    /// True if the daemon died at its place; false once nothing is left to be written.
    private func died(
        _ life: ChildProcess, orUntil isOver: () async throws -> Bool = { false }
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + Self.lifeMax
        var next = ContinuousClock.now
        var wasOver = false
        while life.isRunning, !wasOver, ContinuousClock.now < deadline {
            if ContinuousClock.now > next {
                wasOver = try await isOver()
                next = ContinuousClock.now + .milliseconds(200)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        guard life.isRunning else {
            let status = try await life.wait()
            #expect(status == Self.killed, "it ended by itself with \(status)")
            return true
        }
        try await life.killNow()
        try #require(wasOver, "it neither died nor came to the end of the rollout")
        return false
    }

    /// Rollouts one after the other: in each a daemon dies once, at the first write of its life in
    /// the first, at the second in the second, and so on until there is no such write any more. Odd
    /// ones die before the write, even ones after it.
    ///
    /// `live` kills the daemon, starts it with the death and tells if it came to that.
    private func sweep(
        _ fleet: TestFleet, _ points: [CrashPoint],
        _ live: (Death) async throws -> Bool
    ) async throws {
        var version = 1
        var reached = 0
        var unreached = 0
        while unreached < 2 {
            let number = reached + unreached + 1
            try #require(number < 100, "it writes without end")
            var plan = plan("to-\(number + 1)")
            plan.version = "\(number + 1)"
            plan.checks = [
                "{name: there, timeout: 5s, run: {shell: 'test -f $BELAY_ROOT/opt/app/release'}}"
            ]
            plan.extraSteps = [TestPlan.counted("to-\(number + 1)")]
            // It begins by a word of its own, so that the life below makes its first writes.
            plan.approval = true
            try await apply(plan, to: fleet)
            let id = try #require(try await fleet.rollouts().max { $0.createdAt < $1.createdAt }).id
            let death = Death(point: points[number % 2 == 1 ? 0 : 1], time: number)
            try await fleet.agents["a1"]?.killNow()
            let approved = try await fleet.belay("rollout", "approve", id.rawValue)
            #expect(approved.status == 0, "\(approved.summary)")
            if try await live(death) { reached += 1 } else { unreached += 1 }
            let ended = try await fleet.ended(within: .seconds(90))
            try await fleet.allConnected()
            let wanted = ended.state == .succeeded ? number + 1 : version
            let found = KilledFleetTests.version(fleet, "a1")
            #expect(found == wanted, "\(death): after \(ended.state): \(ended.reason)")
            version = wanted
            let steps = (fleet.read("a1", "var/log/steps") ?? "").split(separator: "\n")
            #expect(Set(steps).count == steps.count, "it ran \(steps)")
        }
        #expect(reached >= 10, "a rollout writes more often than \(reached) times")
        let audit = try await fleet.belay("audit", "verify")
        #expect(audit.status == 0, "\(audit.summary)")
    }

    private func isOver(_ fleet: TestFleet) async -> Bool {
        let all = try? await fleet.rollouts()
        return all?.allSatisfy { $0.endedAt != nil } ?? false
    }

    @Test("The coordinator dies at each write of a start")
    func start() async throws {
        try await withFleet(["a1"]) { fleet in
            let old = try fleet.tree("a1")
            try await apply(plan("crashing"), to: fleet)
            try await fleet.coordinator?.killNow()
            for point in Self.ofStarts + Self.ofRollouts {
                let death = Death(point: point, time: 1)
                let life = try fleet.launchCoordinator(environment: death.environment)
                #expect(try await died(life), "\(point) was not reached")
            }
            try await fleet.startCoordinator()
            let ended = try await fleet.ended(within: .seconds(90))
            #expect(ended.state == .succeeded, "\(ended.reason)")
            try await expectWhole(ended, fleet, old: old)
        }
    }

    @Test("The coordinator dies at one write after the other, and each rollout goes on to its end")
    func coordinator() async throws {
        try await withFleet(["a1"]) { fleet in
            try await sweep(fleet, Self.ofRollouts) { death in
                try await fleet.coordinator?.killNow()
                try fleet.startAgent("a1")
                let life = try fleet.launchCoordinator(environment: death.environment)
                let hasDied = try await died(life) { await isOver(fleet) }
                try await fleet.startCoordinator()
                return hasDied
            }
        }
    }

    @Test("The coordinator dies amid the checkpoint of its stop, and the next start knows all")
    func checkpoint() async throws {
        for point in Self.ofStops {
            try await withFleet(["a1"]) { fleet in
                let old = try fleet.tree("a1")
                try await fleet.coordinator?.killNow()
                // The first is the fleet's, the second the rollout's.
                for time in [1, 2] {
                    let death = Death(point: point, time: time)
                    let life = try fleet.launchCoordinator(environment: death.environment)
                    // A host that is away when it is applied is one that the plan did not show.
                    try await fleet.allConnected()
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
            try await sweep(fleet, Self.ofAgents) { death in
                try fleet.startAgent("a1", environment: death.environment)
                let life = try #require(fleet.agents["a1"])
                let hasDied = try await died(life) { await isOver(fleet) }
                try fleet.startAgent("a1")
                return hasDied
            }
        }
    }
}
