import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI

/// `belay host …`.
struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Hosts of the fleet.",
        subcommands: [List.self, Show.self, Label.self, Revoke.self])

    /// `belay host list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List hosts.")
        @Option(help: "Only hosts whose labels match, for example \"zone in (a,b)\".")
        var selector: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let hosts: [OperatorAPI.HostView] = try await client.get(
                    Path("/v1/hosts").asking([("selector", selector)]), to: "list hosts")
                try output.show(hosts) {
                    ListText.hosts(hosts, now: Clock.now, isWide: $0, style: $1)
                }
            }
        }
    }

    /// `belay host show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a host with its labels, facts and metrics.")
        @Argument(help: "The host.") var host: HostID
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let view: OperatorAPI.HostView = try await client.get(
                    Path("/v1/hosts").adding(host.rawValue), to: "show host \(host)")
                try output.show(view) { _, style in
                    ListText.host(view, now: Clock.now, style: style)
                }
            }
        }
    }

    /// `belay host label`.
    struct Label: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set labels (NAME=VALUE) or remove them (NAME-).")
        @Argument(help: "The host.") var host: HostID
        @Argument(help: "NAME=VALUE sets, NAME- removes.") var changes: [String]
        @OptionGroup var output: OutputOptions

        func validate() throws { _ = try change() }

        func change() throws -> LabelChange {
            var change = LabelChange(set: [:], remove: [])
            for text in changes {
                if let pair = PairArgument(argument: text) {
                    change.set[pair.name] = pair.value
                } else if text.hasSuffix("-"), text.count > 1 {
                    change.remove.append(String(text.dropLast()))
                } else {
                    throw ValidationError("\"\(text)\" is neither NAME=VALUE nor NAME-")
                }
            }
            return change
        }

        func run() async throws {
            let change = try change()
            try await APIClient.with { client in
                let path = Path("/v1/hosts").adding(host.rawValue)
                try await client.tell(.PATCH, path.adding("labels"), change, to: "label \(host)")
                let view: OperatorAPI.HostView = try await client.get(
                    path, to: "show host \(host)")
                try output.show(view) { _, style in
                    ListText.hosts([view], now: Clock.now, isWide: false, style: style)
                }
            }
        }
    }

    /// `belay host revoke`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a host's certificate away, live connections included.")
        @Argument(help: "The host.") var host: HostID
        @OptionGroup var reason: ReasonOptions

        func run() async throws {
            try await APIClient.with { client in
                try await client.tell(
                    .POST, Path("/v1/hosts").adding(host.rawValue, "revoke"),
                    ReasonBody(reason: reason.reason), to: "revoke \(host)")
                Console.output.line("\(host) is revoked; it must be enrolled anew to come back")
            }
        }
    }
}
