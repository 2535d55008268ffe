import AgentCore
import AgentRuntime
import FleetTransport
import FleetWire
import Foundation
import Logging
import Testing

/// An enrolled host below a folder, its scripted coordinator, and the real agents started on it.
final class TestHost {
    static let guardProgram = GuardProcess(argv: [
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("belay-agent").path, "guard",
    ])

    let path: String
    let coordinator: ScriptedCoordinator
    let state: StateDirectory
    private var agents: [Process] = []
    var file: String { path + "/etc/app.conf" }
    var log: String { path + "/agent.log" }

    init(artifact: @escaping @Sendable (Digest) -> String? = { _ in nil }) async throws {
        path = "/tmp/belay-host-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: path + "/etc", withIntermediateDirectories: true)
        let fleet = try TestFleet()
        coordinator = try await ScriptedCoordinator(fleet, artifact: artifact)
        state = StateDirectory(root: path, state: nil)
        try state.make()
        let credentials = try fleet.credentials("belay://host/h1", isServer: false)
        try state.write(Array(credentials.chain.utf8), to: "host.pem")
        try state.write(Array(credentials.key.utf8), to: "host.key")
        try state.write(Array(credentials.authority.utf8), to: "authority.pem")
        let configuration = AgentConfiguration(
            coordinator: "127.0.0.1:\(coordinator.listener.port)", host: HostID(unchecked: "h1"))
        try state.write(try WireJSON.encode(configuration), to: "agent.json")
        try write("/etc/app.conf", "old\n")
        try write("/agent.log", "")
    }

    deinit {
        for agent in agents where agent.isRunning {
            kill(agent.processIdentifier, SIGKILL)
            agent.waitUntilExit()
        }
        // A guard that still watches finds nothing armed any more and ends.
        try? FileManager.default.removeItem(atPath: path)
    }

    @discardableResult
    func start() throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.guardProgram.argv[0])
        process.arguments = ["run", "--root", state.root]
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        agents.append(process)
        return process
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path + name, atomically: true, encoding: .utf8)
    }

    func read(_ name: String) -> String? {
        try? String(contentsOfFile: path + name, encoding: .utf8)
    }

    /// Waits until `condition` holds; fails the test after 30 s.
    func until(_ what: Comment, _ condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("\(what) did not come about within 30 s")
    }

    func waitForGuard() async throws -> GuardOutcome {
        try await until("an outcome of the guard") { GuardFiles(state).outcome != nil }
        return try #require(GuardFiles(state).outcome)
    }

    /// A plan that writes the file and then runs a script.
    func plan(
        _ script: String = "true", checks: [CheckSpec] = [],
        lost: CoordinatorLost = .rollback, within: Milliseconds = .seconds(1),
        artifacts: [ArtifactRef] = [], components: [ComponentSpec] = [],
        irreversible: Bool = false
    ) throws -> HostPlan {
        let digest = try #require(Digest(String(repeating: "0", count: 64)))
        let write = StepSpec(
            name: "settings",
            action: .config(ConfigStep(path: "/etc/app.conf", template: "new\n", mode: nil)))
        let run = StepSpec(
            name: "last",
            action: .run(RunStep(argv: [], shell: script, env: [:], directory: nil)),
            timeout: .seconds(120), irreversible: irreversible)
        return HostPlan(
            rollout: RolloutID(unchecked: "r1"), planDigest: digest, labels: [:], variables: [:],
            artifacts: artifacts,
            components: [
                ComponentSpec(
                    name: ComponentName(unchecked: "settings"),
                    driver: .config(paths: ["/etc/app.conf"]), restart: false)
            ] + components,
            stages: [
                StageSpec(stage: .migration, steps: [write, run], checks: []),
                StageSpec(stage: .verification, steps: [], checks: checks),
            ],
            confirmWithin: within, coordinatorLost: lost)
    }

    func order(_ verb: OrderVerb, _ plan: HostPlan? = nil, across: Bool? = nil) async throws {
        try await coordinator.order(
            TransactionOrder(
                rollout: RolloutID(unchecked: "r1"), attempt: 1, verb: verb, plan: plan,
                acrossPointOfNoReturn: across, why: "test"))
    }

    func check(_ name: String, _ script: String) -> CheckSpec {
        CheckSpec(
            name: name,
            kind: .run(
                RunCheck(
                    run: RunStep(argv: [], shell: script, env: [:], directory: nil), contains: nil))
        )
    }

    func phase() async throws -> String {
        let reply = try await ControlClient.ask(
            ControlRequest(.status), state, logger: Logger(label: "test"))
        return reply.status?.transactions.last?.phase ?? "none"
    }
}
