import ArgumentParser
import FleetWire
import OperatorAPI
import RolloutCore

extension WireIdentifier {
    /// Lets identifiers stand as arguments, checked where they are typed.
    init?(argument: String) { self.init(rawValue: argument) }
}

extension HostID: ExpressibleByArgument {}
extension RolloutID: ExpressibleByArgument {}
extension PointID: ExpressibleByArgument {}

extension Digest: ExpressibleByArgument {
    /// `sha256:…` or the 64 digits.
    init?(argument: String) { self.init(argument) }
}

extension RollbackScope: ExpressibleByArgument {
    /// As printed.
    init?(argument: String) { self.init(argument) }
}

extension AccessRole: ExpressibleByArgument {}

/// A span as it is typed.
struct SpanArgument: ExpressibleByArgument {
    var span: Milliseconds
    init(span: Milliseconds) { self.span = span }
    init?(argument: String) {
        guard let span = QuantityText.span(parsing: argument), span > .zero else { return nil }
        self.span = span
    }
    /// What `--help` shows.
    var defaultValueDescription: String { QuantityText.span(span) }
}

/// `NAME=VALUE`.
struct PairArgument: ExpressibleByArgument {
    var name: String
    var value: String
    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
            return nil
        }
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}

/// `--reason`, wherever the journal keeps one.
struct ReasonOptions: ParsableArguments {
    @Option(help: "Why; kept in the journal.")
    var reason: String?

    /// Throws a usage error if there is none.
    func require(for command: String) throws {
        if (reason ?? "").isEmpty { throw ValidationError("\(command) needs --reason") }
    }
}

extension APIClient {
    /// The rollout that is meant when none is named: the newest that is open, else the newest.
    func chosen(_ rollout: RolloutID?) async throws -> RolloutID {
        if let rollout { return rollout }
        let all: [RolloutSummary] = try await get("/v1/rollouts", to: "list rollouts")
        let newestFirst = all.sorted { $0.createdAt > $1.createdAt }
        let open = newestFirst.first { $0.endedAt == nil }
        guard let chosen = open ?? newestFirst.first else {
            throw CommandFailure(
                .notFound, "there is no rollout yet", remedy: "`belay apply FILE` starts one")
        }
        return chosen.id
    }

    func path(_ rollout: RolloutID, _ part: String? = nil) -> Path {
        let path = Path("/v1/rollouts").adding(rollout.rawValue)
        return part.map { path.adding($0) } ?? path
    }
}
