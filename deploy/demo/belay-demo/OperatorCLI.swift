import FleetWire
import OperatorAPI
import RolloutCore

/// The `belay` command, called as an operator calls it; what it prints is shown.
struct OperatorCLI: Sendable {
    private let layout: DemoLayout
    private let programs: Programs
    /// `BELAY_ADDR`, `BELAY_TOKEN` and `BELAY_CACERT`.
    let environment: [String: String]

    init(layout: DemoLayout, programs: Programs, environment: [String: String]) {
        self.layout = layout
        self.programs = programs
        self.environment = environment
    }

    /// Runs `belay`, shows command and output.
    func run(_ arguments: [String], seconds: Int = 90) async throws -> Programs.Outcome {
        show(arguments)
        let outcome = try await quietly(arguments, seconds: seconds)
        tell(outcome)
        return outcome
    }

    /// Runs `belay` without showing it.
    func quietly(_ arguments: [String], seconds: Int = 90) async throws -> Programs.Outcome {
        try await programs.run(
            "belay", [layout.program("belay")] + arguments, environment: environment,
            seconds: seconds)
    }

    /// Starts `belay` and shows the command; `finish` waits and shows the rest.
    func begin(_ arguments: [String]) throws -> Programs.Running {
        show(arguments)
        return try programs.begin(
            "belay", [layout.program("belay")] + arguments, environment: environment)
    }

    /// Waits until a command that was begun has ended, and shows what it printed.
    func finish(_ program: Programs.Running, seconds: Int = 90) async throws -> Programs.Outcome {
        let outcome = try await programs.finish(program, seconds: seconds)
        tell(outcome)
        return outcome
    }

    /// Shows what a command printed and how it ended.
    private func tell(_ outcome: Programs.Outcome) {
        Narrator.quote(outcome.output)
        Narrator.quote(outcome.errors, most: 24)
        Narrator.line("    exit code \(outcome.code)")
    }

    /// Runs a read and decodes its JSON; nil when it failed.
    func read<Value: Decodable>(_ type: Value.Type, _ arguments: [String]) async throws -> Value? {
        let outcome = try await quietly(arguments + ["-o", "json"])
        guard outcome.code == 0 else { return nil }
        return try? WireJSON.decode(type, from: Array(outcome.output.utf8))
    }

    /// The newest rollout of a plan; nil while there is none, or no coordinator.
    func rollout(of plan: String) async throws -> RolloutView? {
        let all = try await read([RolloutSummary].self, ["rollout", "list"]) ?? []
        let newest = all.filter { $0.name == plan }.max { $0.createdAt < $1.createdAt }
        guard let newest else { return nil }
        return try await read(RolloutView.self, ["rollout", "show", newest.id.rawValue])
    }

    private func show(_ arguments: [String]) {
        let shown = arguments.map { $0.replacing(layout.directory + "/", with: "") }
        Narrator.line("  $ belay \(shown.joined(separator: " "))")
    }
}
