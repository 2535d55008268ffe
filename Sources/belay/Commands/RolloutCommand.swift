import ArgumentParser
import FleetWire
import OperatorAPI
import RolloutCore

/// `belay rollout …`.
struct RolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout", abstract: "See and steer rollouts.",
        subcommands: [
            List.self, Show.self, Watch.self, Why.self, Pause.self, Resume.self, Abort.self,
            Retry.self, Skip.self, Promote.self, Approve.self, Reject.self, RollbackCommand.self,
            Report.self, History.self,
        ])

    /// `belay rollout list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List rollouts, newest first.")
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let rollouts: [RolloutSummary] = try await client.get(
                    "/v1/rollouts", to: "list rollouts")
                let sorted = rollouts.sorted { $0.createdAt > $1.createdAt }
                try output.show(sorted) { isWide, style in
                    RolloutText.list(sorted, now: Clock.now, isWide: isWide, style: style)
                }
            }
        }
    }

    /// `belay rollout show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one rollout in full.")
        @Argument(help: "The rollout; the newest open one if left out.")
        var rollout: RolloutID?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let id = try await client.chosen(rollout)
                let view: RolloutView = try await client.get(
                    client.path(id), to: "show rollout \(id)")
                try output.show(view) { isWide, style in
                    RolloutText.show(view, now: Clock.now, isWide: isWide, style: style)
                }
            }
        }
    }

    /// `belay rollout watch`.
    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Watch a rollout until it ends; ends with its outcome.")
        @Argument(help: "The rollout; the newest open one if left out.")
        var rollout: RolloutID?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if output.format == .yaml {
                throw ValidationError("watch prints a table or json, one object a line")
            }
        }

        func run() async throws {
            let status = try await APIClient.with { client in
                let watch = RolloutWatch(
                    client: client, rollout: try await client.chosen(rollout), progress: .output,
                    result: output.format, changesAsLines: output.format == .json)
                return try await watch.run(outcome: ExitStatus.init(outcomeOf:))
            }
            throw EndWith(status: status)
        }
    }

    /// `belay rollout why`.
    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a rollout or a host waits for.")
        @Argument(help: "The rollout; the newest open one if left out.")
        var rollout: RolloutID?
        @Option(help: "Only this host.")
        var host: HostID?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let id = try await client.chosen(rollout)
                let why: WhyView = try await client.get(
                    client.path(id, "why").asking([("host", host?.rawValue)]),
                    to: "ask why \(host.map { "\($0) in " } ?? "")rollout \(id) waits")
                try output.show(why) { _, style in
                    WhyText.lines(why, now: Clock.now, style: style)
                }
            }
        }
    }

    /// `belay rollout history`.
    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Tell what happened, in order.")
        @Argument(help: "The rollout; the newest open one if left out.")
        var rollout: RolloutID?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let id = try await client.chosen(rollout)
                let entries: [HistoryEntry] = try await client.get(
                    client.path(id, "history"), to: "read the history of \(id)")
                try output.show(entries) { isWide, style in
                    HistoryText.list(entries, isWide: isWide, style: style)
                }
            }
        }
    }

    /// `belay rollout report`.
    struct Report: AsyncParsableCommand {
        /// How a report is written.
        enum Format: String, ExpressibleByArgument, CaseIterable { case md, html, json }

        static let configuration = CommandConfiguration(
            abstract: "Write a report of a rollout.")
        @Argument(help: "The rollout; the newest open one if left out.")
        var rollout: RolloutID?
        @Option(name: .shortAndLong, help: "md, html or json.")
        var format: Format = .md
        @Option(help: "Where to; stdout if left out.", completion: .file())
        var output: String?

        func run() async throws {
            try await APIClient.with { client in
                let id = try await client.chosen(rollout)
                let path = client.path(id, "report").asking([("format", format.rawValue)])
                let bytes = try await client.raw(path, to: "report on rollout \(id)")
                guard let output else {
                    Console.output.write(String(decoding: bytes, as: UTF8.self))
                    return
                }
                try WholeFile.write(bytes, to: output, option: "--output")
                Console.error.line("wrote \(output)")
            }
        }
    }
}
