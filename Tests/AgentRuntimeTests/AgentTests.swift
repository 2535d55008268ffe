import AgentCore
import AgentRuntime
import FleetTransport
import FleetWire
import Foundation
import Logging
import Testing

/// A real agent with a real guard, against a scripted coordinator over TLS.
@Suite(.timeLimit(.minutes(2))) struct AgentTests {
    private let guardProgram = GuardProcess(argv: [
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("belay-agent").path, "guard",
    ])

    private func enrolled(
        _ folder: borrowing TestFolder, _ fleet: TestFleet, port: Int
    ) throws -> StateDirectory {
        let state = StateDirectory(root: folder.path, state: nil)
        try state.make()
        let credentials = try fleet.credentials("belay://host/h1", isServer: false)
        try state.write(Array(credentials.chain.utf8), to: "host.pem")
        try state.write(Array(credentials.key.utf8), to: "host.key")
        try state.write(Array(credentials.authority.utf8), to: "authority.pem")
        let configuration = AgentConfiguration(
            coordinator: "127.0.0.1:\(port)", host: HostID(unchecked: "h1"))
        try state.write(try WireJSON.encode(configuration), to: "agent.json")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/etc", withIntermediateDirectories: true)
        try "old\n".write(
            toFile: folder.path + "/etc/app.conf", atomically: true, encoding: .utf8)
        return state
    }

    private func plan(fails: Bool = false) throws -> HostPlan {
        let digest = try #require(Digest(String(repeating: "0", count: 64)))
        let step = StepSpec(
            name: "settings",
            action: .config(ConfigStep(path: "/etc/app.conf", template: "new\n", mode: nil)))
        let last = StepSpec(
            name: "last",
            action: .run(
                RunStep(
                    argv: [fails ? "/bin/false" : "/bin/true"], shell: nil, env: [:],
                    directory: nil)))
        return HostPlan(
            rollout: RolloutID(unchecked: "r1"), planDigest: digest, labels: [:], variables: [:],
            artifacts: [],
            components: [
                ComponentSpec(
                    name: ComponentName(unchecked: "settings"),
                    driver: .config(paths: ["/etc/app.conf"]), restart: false)
            ],
            stages: [StageSpec(stage: .migration, steps: [step, last], checks: [])],
            confirmWithin: .seconds(20), coordinatorLost: .hold)
    }

    private func order(_ verb: OrderVerb, _ plan: HostPlan? = nil) -> TransactionOrder {
        TransactionOrder(
            rollout: RolloutID(unchecked: "r1"), attempt: 1, verb: verb, plan: plan, why: "test")
    }

    /// Runs an agent beside `script`.
    private func withAgent(
        _ state: StateDirectory, _ script: () async throws -> Void
    ) async throws {
        let agent = try Agent(
            state: state, guardProcess: guardProgram, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await agent.run() }
            defer { group.cancelAll() }
            try await script()
        }
    }

    @Test("a change is verified on a second connection, confirmed, committed and taken back")
    func wholeChange() async throws {
        let folder = try TestFolder()
        let fleet = try TestFleet()
        let coordinator = try await ScriptedCoordinator(fleet)
        let state = try enrolled(folder, fleet, port: coordinator.listener.port)
        let file = folder.path + "/etc/app.conf"
        let plan = try plan()
        try await withAgent(state) {
            _ = try await coordinator.welcome()
            try await coordinator.order(order(.migrate, plan))
            _ = try await coordinator.report(.guarded)
            _ = try await coordinator.report(.verified)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "new\n")
            #expect(GuardFiles(state).isWatching)
            try await coordinator.order(order(.confirm))
            _ = try await coordinator.report(.confirmed)
            try await coordinator.order(order(.commit))
            _ = try await coordinator.report(.committed)
            try await coordinator.order(order(.rollback))
            let back = try await coordinator.report(.rolledBack)
            #expect(back.by == .agent)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "old\n")
        }
        await coordinator.listener.close()
        #expect(coordinator.reports.map(\.sequence) == Array(1...UInt64(coordinator.reports.count)))
    }

    @Test("a step that fails takes the host back, with evidence")
    func failingStep() async throws {
        let folder = try TestFolder()
        let fleet = try TestFleet()
        let coordinator = try await ScriptedCoordinator(fleet)
        let state = try enrolled(folder, fleet, port: coordinator.listener.port)
        let plan = try plan(fails: true)
        try await withAgent(state) {
            _ = try await coordinator.welcome()
            try await coordinator.order(order(.migrate, plan))
            let failed = try await coordinator.report(.failed)
            #expect(failed.mutated == true)
            let back = try await coordinator.report(.rollingBack)
            #expect(back.evidence?["reason"] != nil)
            _ = try await coordinator.report(.rolledBack)
        }
        await coordinator.listener.close()
        let text = try String(contentsOfFile: folder.path + "/etc/app.conf", encoding: .utf8)
        #expect(text == "old\n")
    }

    private func start(_ state: StateDirectory) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: guardProgram.argv[0])
        process.arguments = ["run", "--root", state.root]
        try process.run()
        return process
    }

    @Test("the guard takes the host back when the agent is killed and stays dead")
    func deadAgent() async throws {
        let folder = try TestFolder()
        let fleet = try TestFleet()
        let coordinator = try await ScriptedCoordinator(fleet)
        let state = try enrolled(folder, fleet, port: coordinator.listener.port)
        var plan = try plan()
        plan.confirmWithin = .seconds(2)
        let agent = try start(state)
        _ = try await coordinator.welcome()
        try await coordinator.order(order(.migrate, plan))
        _ = try await coordinator.report(.stepFinished)
        kill(agent.processIdentifier, SIGKILL)
        agent.waitUntilExit()
        let deadline = Date(timeIntervalSinceNow: 30)
        while GuardFiles(state).outcome == nil, Date() < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(GuardFiles(state).outcome?.ending == .rolledBack)
        let text = try String(contentsOfFile: folder.path + "/etc/app.conf", encoding: .utf8)
        #expect(text == "old\n")
        let again = try start(state)
        let told = try await coordinator.report(.rolledBack)
        #expect(told.by == .guard)
        again.terminate()
        again.waitUntilExit()
        await coordinator.listener.close()
    }

    @Test("a second agent on the same state is refused")
    func second() async throws {
        let folder = try TestFolder()
        let fleet = try TestFleet()
        let state = try enrolled(folder, fleet, port: 1)
        let first = try Agent(state: state, logger: Logger(label: "test"))
        let error = #expect(throws: AgentError.self) {
            try Agent(state: state, logger: Logger(label: "test"))
        }
        #expect(error?.exitCode == 14)
        withExtendedLifetime(first) {}
    }
}
