import AgentCore
import FleetWire
import Testing

/// Killed after any durable write, started again: the host ends in its old or its new state.
@Suite struct CrashTests {
    /// Drives a whole change; kills the agent once, after `crashAt` carried-out effects.
    private func drive(
        crashAt: Int, failing: Set<String> = [], irreversible: Set<String> = [],
        beforeEffects: Bool
    ) throws -> (host: HostUnderTest, crashed: Bool) {
        var host = HostUnderTest()
        host.failing = failing
        let plan = try Samples.plan(irreversible: irreversible)
        var carried = 0
        var crashed = false
        func settle(_ host: inout HostUnderTest) throws {
            while !host.queue.isEmpty {
                if carried == crashAt, !crashed {
                    crashed = true
                    // Either the effect was done and its end lost, or it was never begun.
                    if !beforeEffects {
                        let machine = host.machine
                        _ = host.step()
                        host.machine = machine
                    }
                    try host.crash()
                    host.give(.started(guard: nil))
                    host.give(.connected)
                    continue
                }
                carried += 1
                _ = host.step()
            }
        }
        host.give(.started(guard: nil))
        host.give(.connected)
        for verb in [OrderVerb.prepare, .validate, .migrate] {
            host.give(Samples.order(verb, plan))
            try settle(&host)
        }
        host.give(.connected)
        try settle(&host)
        for verb in [OrderVerb.confirm, .commit] {
            host.give(Samples.order(verb, plan))
            try settle(&host)
        }
        return (host, crashed)
    }

    @Test("wherever the agent is killed, the host is old or new", arguments: [true, false])
    func everywhere(_ beforeEffects: Bool) throws {
        var ends: Set<String> = []
        for crashAt in 0..<200 {
            let (host, crashed) = try drive(crashAt: crashAt, beforeEffects: beforeEffects)
            let last = try #require(host.machine.transactions.last)
            ends.insert(last.phase.name)
            switch last.phase {
            case .committed, .confirmed: #expect(host.content == "old+drain+switch", "\(crashAt)")
            default: #expect(host.content == "old", "killed at \(crashAt): \(last.phase.name)")
            }
            #expect(host.guardOrder == nil, "killed at \(crashAt): the guard is still armed")
            for step in Set(host.stepsRun) where step.hasPrefix("migration") {
                #expect(host.stepsRun.count { $0 == step } == 1, "\(step) ran twice at \(crashAt)")
            }
            let sequences = host.machine.unacknowledged.map(\.sequence)
            #expect(sequences == Array(1...host.machine.reported))
            if !crashed { break }
            #expect(crashAt < 199)
        }
        #expect(ends.isSuperset(of: ["committed", "rolled back"]))
    }

    @Test("wherever the agent is killed in a rollback, the host is old again")
    func inRollback() throws {
        for crashAt in 0..<200 {
            let (host, crashed) = try drive(
                crashAt: crashAt, failing: ["health"], beforeEffects: true)
            #expect(host.content == "old", "killed at \(crashAt)")
            #expect(host.guardOrder == nil, "killed at \(crashAt)")
            if !crashed { return }
        }
        Issue.record("the run never ended")
    }

    @Test(
        "wherever the agent is killed, a step that cannot be taken back has no guard, and is not undone",
        arguments: [true, false], [Set<String>(), ["switch"], ["health"]])
    func acrossReturn(_ beforeEffects: Bool, _ failing: Set<String>) throws {
        var ends: Set<String> = []
        for crashAt in 0..<200 {
            let (host, crashed) = try drive(
                crashAt: crashAt, failing: failing, irreversible: ["switch"],
                beforeEffects: beforeEffects)
            let last = try #require(host.machine.transactions.last)
            ends.insert(last.phase.name)
            let hasCrossed = host.stepsRun.contains("migration/switch")
            if hasCrossed {
                #expect(host.content == "old+drain+switch", "killed at \(crashAt)")
                #expect(last.pastReturn == "switch", "killed at \(crashAt)")
            }
            // Killed between the record and the step, the host holds all the same.
            if last.pastReturn == nil { #expect(host.content == "old", "killed at \(crashAt)") }
            #expect(host.guardOrder == nil, "killed at \(crashAt): the guard is still armed")
            #expect(host.guardedSteps.isDisjoint(with: ["migration/switch"]), "\(crashAt)")
            #expect(host.stepsRun.count { $0 == "migration/switch" } <= 1, "\(crashAt)")
            if !crashed { break }
            #expect(crashAt < 199)
        }
        #expect(ends.isSuperset(of: ["held past the point of no return", "rolled back"]))
        #expect(ends.contains("committed") == failing.isEmpty)
    }

    @Test("what the guard did while no agent ran is reported as the guard's")
    func byGuard() throws {
        var host = HostUnderTest()
        let plan = try Samples.plan()
        host.give(.started(guard: nil))
        host.give(Samples.order(.migrate, plan))
        host.settle()
        try host.crash()
        host.content = "old"
        host.give(
            .started(
                guard: GuardOutcome(
                    rollout: plan.rollout, attempt: 1, ending: .rolledBack, reason: "no agent",
                    took: Milliseconds(5), at: host.now, evidence: ["log": "x"])))
        host.settle()
        #expect(host.sent.last?.kind == .rolledBack)
        #expect(host.sent.last?.by == .guard)
        #expect(host.machine.open == nil)
    }

    @Test("what a guard failed to restore before the first step is restored by an order")
    func afterGuard() throws {
        var host = HostUnderTest()
        let plan = try Samples.plan()
        host.give(.started(guard: nil))
        host.give(Samples.order(.migrate, plan))
        // The guard is armed, and the agent dies before it takes note.
        while host.guardOrder == nil {
            if case .arm(_, let order)? = host.queue.first {
                host.guardOrder = order
            } else {
                let hasMoved = host.step()
                try #require(hasMoved)
            }
        }
        try host.crash()
        // Its files are half written; the machine knows of no step that changed anything.
        host.content = "torn"
        host.give(
            .started(
                guard: GuardOutcome(
                    rollout: plan.rollout, attempt: 1, ending: .rollbackFailed,
                    reason: "no agent", took: Milliseconds(5), at: host.now, evidence: [:])))
        host.settle()
        #expect(host.sent.last?.kind == .rollbackFailed)
        host.give(Samples.order(.rollback, plan))
        host.settle()
        #expect(host.sent.last?.kind == .rolledBack)
        #expect(host.content == "old")
        #expect(!host.stepsRun.contains { $0.hasPrefix("migration") })
    }

    @Test(
        "at the deadline the policy decides",
        arguments: [
            (CoordinatorLost.rollback, false, false, "rolled back"),
            (.hold, true, false, "rolled back"), (.hold, false, false, "holding"),
            (.hold, false, true, "rolled back"), (.commitIfValid, false, false, "confirmed"),
            (.commitIfValid, false, true, "rolled back"),
        ])
    func deadline(
        _ policy: CoordinatorLost, _ connected: Bool, _ fails: Bool, _ end: String
    ) throws {
        var host = HostUnderTest()
        host.give(.started(guard: nil))
        host.give(Samples.order(.migrate, try Samples.plan(lost: policy)))
        host.settle()
        if connected { host.give(.connected) }
        if fails { host.failing = ["health"] }
        host.now = host.now + .seconds(130)
        host.give(.tick)
        host.settle()
        #expect(host.machine.transactions.last?.phase.name == end)
    }

    @Test("no checks are no proof, and a step that cuts the network turns hold into rollback")
    func noProof() throws {
        for plan in [
            try Samples.plan(lost: .commitIfValid, checks: false), try Samples.plan(network: true),
        ] {
            var host = HostUnderTest()
            host.give(.started(guard: nil))
            host.give(Samples.order(.migrate, plan))
            host.settle()
            host.now = host.now + .seconds(130)
            host.give(.tick)
            host.settle()
            #expect(host.content == "old")
        }
    }
}
