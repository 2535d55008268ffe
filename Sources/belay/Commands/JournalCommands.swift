import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI

/// `belay events`.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Print the journal; one object a line in JSON.")

    @Flag(name: .shortAndLong, help: "Go on with what comes.")
    var follow = false
    @Option(help: "Begin after this sequence number.")
    var after: UInt64 = 0
    @Option(help: "Only \"fleet\" or one rollout.")
    var stream: String?
    @Option(help: "At most this many; all if left out.")
    var limit: Int?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if output.format == .yaml {
            throw ValidationError("events prints a table or json, one object a line")
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() async throws {
        try await APIClient.with { client in
            var next = after
            var left = limit
            while left.map({ $0 > 0 }) ?? true {
                let lines = try await page(client, after: next, limit: left)
                for line in lines { try show(line) }
                if let last = lines.last { next = last.sequence }
                left = left.map { $0 - lines.count }
                if lines.isEmpty, !follow { return }
            }
        }
    }

    /// The next lines; with `--follow` it waits for them, through absences of the coordinator.
    private func page(_ client: APIClient, after: UInt64, limit: Int?) async throws -> [EventLine] {
        let wait = APIClient.Limits.poll
        let path = Path("/v1/events").asking([
            ("after", String(after)), ("stream", stream),
            ("limit", String(min(limit ?? 500, 500))),
            ("wait", follow ? String(wait.count) : nil),
        ])
        var told = false
        while true {
            do {
                return try await client.get(
                    path, to: "read the journal", within: wait + .seconds(10))
            } catch let failure as CommandFailure
                where follow && (failure.status == .unreachable || failure.status == .timedOut)
            {
                if !told { Console.error.line("\(failure.message); retrying") }
                told = true
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func show(_ line: EventLine) throws {
        if output.format == .json {
            Console.output.line(try Document.line(of: line))
        } else {
            Console.output.line(
                HistoryText.event(
                    line, isWide: output.format == .wide, style: Console.output.style))
        }
    }
}

/// `belay audit …`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The journal as evidence.", subcommands: [Verify.self])

    /// `belay audit verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prove that no record of the journal was changed; a break ends with 6.")
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let audit: AuditView = try await APIClient.with { client in
                try await client.get(
                    "/v1/audit", to: "verify the journal", within: APIClient.Limits.plan)
            }
            try output.show(audit) { _, style in ListText.audit(audit, style: style) }
            if audit.brokenAt != nil { throw EndWith(status: .gateFailed) }
        }
    }
}

/// `belay quarantine …`.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Artifacts and plans that are known to be bad.",
        subcommands: [List.self, Remove.self])

    /// `belay quarantine list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List them.")
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let items: [QuarantineView] = try await client.get(
                    "/v1/quarantine", to: "list the quarantine")
                try output.show(items) { _, style in
                    ListText.quarantine(items, now: Clock.now, style: style)
                }
            }
        }
    }

    /// `belay quarantine remove`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let one through again.")
        @Argument(help: "Its digest.") var digest: Digest
        @OptionGroup var reason: ReasonOptions

        func validate() throws { try reason.require(for: "remove") }

        func run() async throws {
            try await APIClient.with { client in
                try await client.tell(
                    .DELETE, Path("/v1/quarantine").adding(digest.hex),
                    ReasonBody(reason: reason.reason), to: "take \(digest.short) out of quarantine")
                Console.output.line("\(digest) is no longer quarantined")
            }
        }
    }
}

/// `belay status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how the coordinator is, and who you are to it.")
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await APIClient.with { client in
            let status: StatusView = try await client.get(
                "/v1/status", to: "ask \(client.configuration.address) how it is")
            try output.show(status) { _, style in
                ListText.status(status, now: Clock.now, style: style)
            }
        }
    }
}

/// `belay completion`.
struct CompletionCommand: ParsableCommand {
    /// The shells that are known.
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print a completion script for a shell.")
    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() throws {
        let script: String =
            switch shell {
            case .bash: Belay.completionScript(for: .bash)
            case .zsh: Belay.completionScript(for: .zsh)
            case .fish: Belay.completionScript(for: .fish)
            }
        Console.output.line(script)
    }
}
