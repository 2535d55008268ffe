import AgentCore
import FleetWire
import Foundation
import Glibc
import Logging
import Testing

@testable import AgentRuntime

/// Real agents and guards about a step that cannot be taken back.
@Suite(.timeLimit(.minutes(2))) struct PointOfNoReturnTests {
    private let held = "held past the point of no return"
    private let lasting = "echo begun > {{ host.root }}/step; sleep 100"

    private func stepBegins(_ host: TestHost) async throws {
        try await host.until("the step") { host.read("/step") == "begun\n" }
    }

    private func rollBack(
        _ host: TestHost, across: Bool?, reason: String?
    ) async throws -> ControlReply {
        var request = ControlRequest(.rollback)
        request.acrossPointOfNoReturn = across
        request.reason = reason
        return try await ControlClient.ask(request, host.state, logger: Logger(label: "test"))
    }

    @Test("no guard watches while it runs, and an agent killed in it holds at its next start")
    func killedInTheStep() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(lasting, irreversible: true))
        try await stepBegins(host)
        let files = GuardFiles(host.state)
        let armed = try #require(files.armed)
        #expect(files.isClosed(armed.order))
        try await host.until("the end of the guard") { !files.isWatching }
        kill(agent.processIdentifier, SIGKILL)
        agent.waitUntilExit()
        #expect(files.outcome == nil)
        #expect(host.read("/etc/app.conf") == "new\n")

        try host.start()
        let failed = try await host.coordinator.report(.failed)
        #expect(failed.mutated == true)
        #expect(try await host.phase() == held)
        #expect(!files.isWatching)
        #expect(host.read("/etc/app.conf") == "new\n")
        #expect(!host.coordinator.reports.map(\.kind).contains(.rollingBack))
    }

    @Test("killed before it the host is taken back, by its guard or by the next agent")
    func killedBefore() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        var plan = try host.plan(lasting)
        plan.stages[0].steps.append(
            StepSpec(
                name: "drop",
                action: .run(
                    RunStep(
                        argv: [], shell: "echo dropped > {{ host.root }}/dropped", env: [:],
                        directory: nil)), irreversible: true))
        try await host.order(.migrate, plan)
        try await stepBegins(host)
        #expect(GuardFiles(host.state).isWatching)
        kill(agent.processIdentifier, SIGKILL)
        #expect(try await host.waitForGuard().ending == .rolledBack)
        #expect(host.read("/etc/app.conf") == "old\n")
        #expect(host.read("/dropped") == nil)
    }

    @Test("nobody confirms: it is held; the host goes back only by the words and a reason")
    func unconfirmed() async throws {
        let host = try await TestHost()
        try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(irreversible: true))
        let failed = try await host.coordinator.report(.failed)
        #expect(failed.failure == "nobody confirmed in time")
        #expect(try await host.phase() == held)

        let ordered = try await host.coordinator.ask(
            .order,
            TransactionOrder(
                rollout: RolloutID(unchecked: "r1"), attempt: 1, verb: .rollback, why: "test"))
        #expect(try ordered.body(Refusal.self).code == "past_return")
        #expect(try await rollBack(host, across: nil, reason: "why").refusal?.code == "past_return")
        #expect(try await rollBack(host, across: true, reason: " ").refusal?.code == "invalid")
        #expect(host.read("/etc/app.conf") == "new\n")

        let back = try await rollBack(host, across: true, reason: "the dump is back")
        #expect(back.outcome == "rolled back", "\(String(describing: back.refusal))")
        #expect(host.read("/etc/app.conf") == "old\n")
        let told = try await host.coordinator.report(.rolledBack)
        #expect(told.by == .operatorOnHost)
        #expect(
            host.coordinator.reports.contains {
                $0.failure?.hasSuffix(": the dump is back") == true
            })
    }
}
