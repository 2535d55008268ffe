import AgentCore
import FleetWire
import Foundation
import Glibc
import Testing

@testable import AgentRuntime

/// Agents that are killed, stopped and started again, while a step works on the host.
@Suite(.timeLimit(.minutes(2))) struct GuardTests {
    /// Spoils the component for ever, until its group is ended.
    private let spoiling = """
        echo $$ > {{ host.root }}/step
        while :; do echo spoiled > {{ host.root }}/etc/app.conf; sleep 0.02; done
        """

    private func group(_ host: TestHost) throws -> Int32 {
        try #require(host.read("/step").flatMap { Int32($0.dropLast()) })
    }

    private func stepBegins(_ host: TestHost) async throws {
        try await host.until("the step") { host.read("/step")?.hasSuffix("\n") == true }
    }

    private func expectOld(_ host: TestHost) async throws {
        let step = try group(host)
        try await host.until("the end of the step's group") { kill(-step, 0) != 0 }
        #expect(host.read("/etc/app.conf") == "old\n")
    }

    @Test("a step that began just before the agent's death is ended before the restore")
    func youngStep() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(spoiling))
        try await stepBegins(host)
        kill(agent.processIdentifier, SIGKILL)
        #expect(try await host.waitForGuard().ending == .rolledBack)
        try await expectOld(host)
    }

    @Test("an agent that is started again ends the step that the dead one began")
    func orphan() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(spoiling, within: .seconds(60)))
        try await stepBegins(host)
        kill(agent.processIdentifier, SIGKILL)
        agent.waitUntilExit()
        try host.start()
        let back = try await host.coordinator.report(.rolledBack)
        #expect(back.by == .agent)
        try await expectOld(host)
    }

    @Test("an agent that was stopped in a step is ended, and finds the host taken back")
    func stoppedInAStep() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(spoiling))
        try await stepBegins(host)
        kill(agent.processIdentifier, SIGSTOP)
        #expect(try await host.waitForGuard().ending == .rolledBack)
        agent.waitUntilExit()
        try await expectOld(host)
        try host.start()
        #expect(try await host.coordinator.report(.rolledBack).by == .guard)
    }

    @Test("an agent that was stopped while it waited is ended, and reports what the guard did")
    func stoppedWaiting() async throws {
        let host = try await TestHost()
        let agent = try host.start()
        _ = try await host.coordinator.welcome()
        try await host.order(.migrate, host.plan(within: .seconds(3)))
        _ = try await host.coordinator.report(.verified)
        kill(agent.processIdentifier, SIGSTOP)
        #expect(try await host.waitForGuard().ending == .rolledBack)
        #expect(host.read("/etc/app.conf") == "old\n")
        try host.start()
        #expect(try await host.coordinator.report(.rolledBack).by == .guard)
        #expect(!host.coordinator.reports.map(\.kind).contains(.confirmed))
    }

    @Test("without a coordinator a change is held, or kept if its checks pass, as the plan says")
    func coordinatorLost() async throws {
        for (lost, phase) in [
            (CoordinatorLost.hold, "holding"), (.commitIfValid, "confirmed"),
            (.rollback, "rolled back"),
        ] {
            let host = try await TestHost()
            try host.start()
            _ = try await host.coordinator.welcome()
            try await host.order(
                .migrate, host.plan(checks: [host.check("fine", "true")], lost: lost))
            _ = try await host.coordinator.report(.verified)
            await host.coordinator.vanish()
            let deadline = ContinuousClock.now + .seconds(30)
            while try await host.phase() != phase, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await host.phase() == phase)
            #expect(host.read("/etc/app.conf") == (lost == .rollback ? "old\n" : "new\n"))
        }
    }

    @Test("after another start of the machine the deadline counts on the wall clock")
    func reboot() throws {
        let digest = try #require(Digest(String(repeating: "0", count: 64)))
        let plan = HostPlan(
            rollout: RolloutID(unchecked: "r1"), planDigest: digest, labels: [:], variables: [:],
            artifacts: [], components: [], stages: [], confirmWithin: .seconds(1),
            coordinatorLost: .hold)
        let armed = GuardFiles.Armed(
            order: GuardOrder(
                plan: plan, attempt: 1, point: PointID(unchecked: "p"),
                deadline: Timestamp(milliseconds: 50_000), within: .seconds(10), holding: false,
                complete: true, policy: .hold), host: HostID(unchecked: "h1"), boot: "first",
            dueSinceBoot: 900_000)
        func isDue(_ boot: String, _ sinceBoot: Int64, _ now: Int64) -> Bool {
            armed.isDue(
                plus: .seconds(5), boot: boot, sinceBoot: sinceBoot,
                now: Timestamp(milliseconds: now))
        }
        // The same start: whatever the wall clock says.
        #expect(!isDue("first", 904_999, 90_000))
        #expect(isDue("first", 905_000, 1))
        // Another start: the machine's own clock began anew.
        #expect(!isDue("second", 999_999, 54_999))
        #expect(isDue("second", 1, 55_000))
    }
}
