import FleetWire
import Glibc
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

    /// Runs `belay`, shows the command and the telling lines of its output.
    ///
    /// With `live`, on a terminal, its progress is seen there as it draws it.
    func run(
        _ arguments: [String], show excerpt: Excerpt, live: Bool = false, seconds: Int = 180
    ) async throws -> Programs.Outcome {
        try await finish(try begin(arguments, live: live), show: excerpt, seconds: seconds)
    }

    /// Starts `belay` and shows the command; `finish` waits and shows the rest.
    func begin(_ arguments: [String], live: Bool = false) throws -> Programs.Running {
        Narrator.command("belay " + layout.shortened(arguments.joined(separator: " ")))
        let isLive = live && Narrator.isTerminal
        var environment = environment
        if !isLive { environment["NO_COLOR"] = "1" }
        return try programs.begin(
            "belay", [layout.program("belay")] + arguments, environment: environment,
            isLive: isLive)
    }

    /// Waits until a command that was begun has ended, and shows what it printed.
    func finish(
        _ program: Programs.Running, show excerpt: Excerpt, seconds: Int = 180
    ) async throws -> Programs.Outcome {
        let outcome = try await programs.finish(program, seconds: seconds)
        let (shown, left) = excerpt.cut(outcome.errors + outcome.output)
        Narrator.quote(shown.map(layout.shortened))
        let rest = left > 0 ? "; \(left) more lines in \(layout.shortened(program.output)).*" : ""
        Narrator.line("    (exit code \(outcome.code)\(rest))")
        return outcome
    }

    /// Runs a read and decodes its JSON; nil when it failed.
    func read<Value: Decodable>(_ type: Value.Type, _ arguments: [String]) async throws -> Value? {
        let outcome = try await programs.run(
            "belay", [layout.program("belay")] + arguments + ["-o", "json"],
            environment: environment, keepsOutput: false)
        guard outcome.code == 0 else { return nil }
        return try? WireJSON.decode(type, from: Array(outcome.output.utf8))
    }

    /// The newest rollout of a plan; nil while there is none, or no coordinator.
    func rollout(of plan: String) async throws -> RolloutView? {
        let all = try await read([RolloutView].self, ["rollout", "list"]) ?? []
        return all.filter { $0.name == plan }.max { $0.createdAt < $1.createdAt }
    }
}
