import AgentCore
import FleetWire
import Testing

/// Hosts that began a step which cannot be taken back.
@Suite struct PointOfNoReturnTests {
    private let held = "held past the point of no return"

    private func driven(
        _ plan: HostPlan, failing: Set<String> = [], to verb: OrderVerb = .migrate
    ) -> HostUnderTest {
        var host = HostUnderTest()
        host.failing = failing
        host.give(.started(guard: nil))
        host.give(.connected)
        for next in [OrderVerb.migrate, .confirm, .commit] {
            host.give(Samples.order(next, plan))
            host.settle()
            if next == .migrate { host.give(.connected) }
            if next == verb { break }
        }
        return host
    }

    private func phase(_ host: HostUnderTest) -> String? {
        host.machine.transactions.last?.phase.name
    }

    @Test("the guard lets go, then the begin is durable, and only then the step runs")
    func order() throws {
        var host = HostUnderTest()
        host.give(.started(guard: nil))
        host.give(Samples.order(.migrate, try Samples.plan(irreversible: ["switch"])))
        while host.step() {
            let transaction = try #require(host.machine.transactions.last)
            if transaction.pastReturn != nil { #expect(host.guardOrder == nil) }
            if host.stepsRun.contains("migration/switch") {
                #expect(transaction.pastReturn == "switch")
            }
        }
        #expect(host.guardedSteps == ["migration/drain"])
        // Nothing arms a guard again.
        host.give(.connected)
        host.settle()
        #expect(host.kinds.last == .verified)
        #expect(host.guardOrder == nil)
    }

    @Test("a failure before it is taken back, one in or after it is held")
    func failures() throws {
        let plan = try Samples.plan(irreversible: ["switch"])
        let before = driven(plan, failing: ["drain"])
        #expect(phase(before) == "rolled back")
        #expect(before.content == "old")
        for place in ["switch", "health"] {
            let host = driven(plan, failing: [place])
            #expect(phase(host) == held)
            #expect(host.content == "old+drain+switch")
            #expect(host.sent.last?.kind == .failed)
            #expect(host.sent.last?.mutated == true)
        }
    }

    @Test(
        "nobody confirms: the policy that would take it back holds it",
        arguments: [
            (CoordinatorLost.rollback, false, false), (.hold, true, false), (.hold, false, true),
            (.commitIfValid, false, true),
        ])
    func deadline(_ policy: CoordinatorLost, _ connected: Bool, _ fails: Bool) throws {
        var host = driven(try Samples.plan(lost: policy, irreversible: ["drain"]))
        if !connected { host.give(.disconnected) }
        if fails { host.failing = ["health"] }
        host.now = host.now + .seconds(130)
        host.give(.tick)
        host.settle()
        #expect(phase(host) == held)
        #expect(host.content == "old+drain+switch")
        // A confirmation that comes too late decides nothing.
        host.give(.connected)
        host.give(Samples.order(.confirm, try Samples.plan()))
        host.settle()
        #expect(host.refusals.map(\.code) == ["wrong_state"])
    }

    @Test("checks that pass keep it when the plan says commit-if-valid")
    func kept() throws {
        var host = driven(try Samples.plan(lost: .commitIfValid, irreversible: ["switch"]))
        host.give(.disconnected)
        host.now = host.now + .seconds(130)
        host.give(.tick)
        host.settle()
        #expect(phase(host) == "confirmed")
    }

    @Test(
        "an order to roll back is refused without the words, in every state past it",
        arguments: [
            (OrderVerb.migrate, true), (.migrate, false), (.confirm, false), (.commit, false),
        ])
    func orders(_ verb: OrderVerb, _ fails: Bool) throws {
        let plan = try Samples.plan(irreversible: ["switch"])
        var host = driven(plan, failing: fails ? ["health"] : [], to: verb)
        host.failing = []
        let before = phase(host)
        host.give(Samples.order(.rollback, plan))
        host.settle()
        let refusal = try #require(host.refusals.last)
        #expect(refusal.code == "past_return")
        #expect(refusal.reason.contains("switch"))
        #expect(phase(host) == before)
        #expect(host.content == "old+drain+switch")
        // A restart changes nothing about it.
        try host.crash()
        host.give(.started(guard: nil))
        host.settle()
        #expect(host.content == "old+drain+switch")
        host.give(Samples.order(.rollback, plan, across: true))
        host.settle()
        #expect(phase(host) == "rolled back")
        #expect(host.content == "old")
        // Back in its old state it is past nothing any more.
        #expect(host.machine.transactions.last?.pastReturn == nil)
    }

    @Test("a step of finalization that cannot be taken back counts too")
    func finalization() throws {
        let plan = try Samples.plan(irreversible: ["tidy"])
        var host = driven(plan, to: .confirm)
        host.give(Samples.order(.commit, plan))
        host.settle()
        #expect(phase(host) == "committed")
        host.give(Samples.order(.rollback, plan))
        host.settle()
        #expect(host.refusals.map(\.code) == ["past_return"])
    }

    @Test("a rollback while the step before it runs is carried out, and the point is not crossed")
    func inTime() throws {
        let plan = try Samples.plan(irreversible: ["switch"])
        var host = HostUnderTest()
        host.give(.started(guard: nil))
        host.give(Samples.order(.migrate, plan))
        while !host.stepsRun.contains("migration/drain"), host.step() {}
        // The guard is being told to let go.
        host.give(Samples.order(.rollback, plan))
        host.settle()
        #expect(host.content == "old")
        #expect(!host.stepsRun.contains("migration/switch"))
        #expect(phase(host) == "rolled back")
        #expect(host.guardOrder == nil)
    }

    @Test("a guard that cannot be told keeps the step from running")
    func guardCannotBeTold() throws {
        var host = HostUnderTest()
        host.failing = ["disarm"]
        host.give(.started(guard: nil))
        host.give(Samples.order(.migrate, try Samples.plan(irreversible: ["switch"])))
        while host.machine.open?.phase != nil, host.step() {}
        #expect(host.content == "old")
        #expect(!host.stepsRun.contains("migration/switch"))
    }

    @Test("an operator on the host needs the words as well")
    func operatorOnHost() throws {
        let plan = try Samples.plan(irreversible: ["switch"])
        var host = driven(plan, failing: ["health"])
        let turn = host.machine
        host.give(
            .operatorRollback(
                rollout: nil, scope: .full, point: nil, acrossPointOfNoReturn: nil, reason: "no"))
        #expect(host.machine == turn)
        #expect(host.machine.refusalOfReturn(rollout: plan.rollout)?.code == "past_return")
        host.give(
            .operatorRollback(
                rollout: nil, scope: .full, point: nil, acrossPointOfNoReturn: true,
                reason: "the dump is restored"))
        host.settle()
        #expect(host.content == "old")
        let told = try #require(host.sent.last { $0.kind == .rollingBack })
        #expect(told.by == .operatorOnHost)
        #expect(told.failure?.hasSuffix(": the dump is restored") == true)
    }

    @Test("a held host refuses restores and gives way to the next rollout as it is")
    func nextRollout() throws {
        var host = driven(try Samples.plan(irreversible: ["switch"]), failing: ["health"])
        host.failing = []
        #expect(host.machine.obstacleToRestore?.code == "busy")
        host.give(Samples.order(.migrate, try Samples.plan("r2")))
        host.settle()
        #expect(host.refusals.map(\.code) == ["busy"])
        host.give(Samples.order(.prepare, try Samples.plan("r2")))
        host.settle()
        #expect(host.kinds.last == .prepared)
        #expect(host.content == "old+drain+switch")
        #expect(host.machine.transactions.first?.phase.name == "left past the point of no return")
    }

    @Test("a plan that could not be taken back before it may change anything is refused")
    func tooEarly() throws {
        var host = HostUnderTest()
        host.give(.started(guard: nil))
        host.give(Samples.order(.prepare, try Samples.plan(irreversible: ["look"])))
        host.settle()
        #expect(host.refusals.map(\.code) == ["invalid"])
        #expect(host.refusals.first?.reason.contains("preparation") == true)
    }

    @Test("a journal from before there were points of no return is read")
    func oldJournal() throws {
        let old = #"{"operatorRollback":{"scope":"full"}}"#
        let event = try WireJSON.decode(HostEvent.self, from: Array(old.utf8))
        #expect(
            event
                == .operatorRollback(
                    rollout: nil, scope: .full, point: nil, acrossPointOfNoReturn: nil, reason: nil)
        )
    }
}
