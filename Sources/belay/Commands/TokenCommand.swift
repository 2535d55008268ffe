import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI

/// `belay token …`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Tokens that enrol hosts, and tokens for people.",
        subcommands: [Create.self, List.self, Revoke.self, Access.self])

    /// `belay token create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token with which hosts enrol; prints it once.")
        @Option(help: "How long it is valid, for example 1h.")
        var lifetime = SpanArgument(span: .seconds(3600))
        @Option(help: "How many hosts it enrols.")
        var uses = 1
        @Option(help: "A label NAME=VALUE that its hosts get; may be given several times.")
        var label: [PairArgument] = []
        @Option(help: "The one host that it is for.")
        var host: HostID?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard uses > 0 else { throw ValidationError("--uses must be at least 1") }
        }

        func run() async throws {
            let labels = Dictionary(label.map { ($0.name, $0.value) }) { _, last in last }
            try await APIClient.with { client in
                let view: TokenView = try await client.send(
                    .POST, "/v1/tokens",
                    TokenRequest(lifetime: lifetime.span, uses: uses, labels: labels, host: host),
                    to: "make an enrolment token")
                try output.show(view) { _, _ in [view.token ?? view.id] }
                Console.error.line(
                    "enrols \(QuantityText.count(view.usesLeft, "host")) until "
                        + QuantityText.date(view.expires))
            }
        }
    }

    /// `belay token list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List enrolment tokens.")
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let tokens: [TokenView] = try await client.get(
                    "/v1/tokens", to: "list enrolment tokens")
                try output.show(tokens) { _, style in
                    ListText.tokens(tokens, now: Clock.now, style: style)
                }
            }
        }
    }

    /// `belay token revoke`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an enrolment token useless; enrolled hosts stay.")
        @Argument(help: "The token's id.") var token: String

        func run() async throws {
            try await APIClient.with { client in
                try await client.tell(
                    .DELETE, Path("/v1/tokens").adding(token), to: "revoke token \(token)")
                Console.output.line("\(token) is revoked")
            }
        }
    }

    /// `belay token access …`.
    struct Access: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tokens with which people and programs use this command and the API.",
            subcommands: [AccessCreate.self, AccessList.self, AccessRevoke.self])
    }

    /// `belay token access create`.
    struct AccessCreate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make an access token; prints it once.")
        @Argument(help: "Whose it is; stands as actor in the journal.") var name: String
        @Option(help: "viewer, operator or admin.") var role: AccessRole = .viewer
        @Option(help: "How long it is valid, for example 90d; for ever if left out.")
        var lifetime: SpanArgument?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let grant: AccessGrant = try await client.send(
                    .POST, "/v1/access",
                    AccessRequest(name: name, role: role, lifetime: lifetime?.span),
                    to: "make an access token for \(name)")
                try output.show(grant) { _, _ in [grant.token] }
                Console.error.line(
                    "\(grant.view.id): \(grant.view.name), \(grant.view.role.rawValue), "
                        + (grant.view.expires.map { "until \(QuantityText.date($0))" }
                            ?? "for ever"))
            }
        }
    }

    /// `belay token access list`.
    struct AccessList: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List access tokens.")
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let tokens: [APITokenView] = try await client.get(
                    "/v1/access", to: "list access tokens")
                try output.show(tokens) { _, style in ListText.access(tokens, style: style) }
            }
        }
    }

    /// `belay token access revoke`.
    struct AccessRevoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Make an access token useless.")
        @Argument(help: "The token's id.") var token: String

        func run() async throws {
            try await APIClient.with { client in
                try await client.tell(
                    .DELETE, Path("/v1/access").adding(token), to: "revoke access token \(token)")
                Console.output.line("\(token) is revoked")
            }
        }
    }
}
