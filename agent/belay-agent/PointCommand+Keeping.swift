import AgentRuntime
import ArgumentParser
import FleetWire
import HostSnapshots

/// Which points are kept.
struct RetentionOptions: ParsableArguments {
    @Option(help: "Keep at most this many points.") var keep: Int?
    @Option(help: "Keep none older than this, as 30d.") var keepFor: String?
    @Option(help: "Keep the newest that take at most this, as 20GiB.") var keepBytes: String?

    /// Nil if none of the three was given.
    func retention() throws -> PointRetention? {
        guard keep != nil || keepFor != nil || keepBytes != nil else { return nil }
        if let keep, keep < 1 { throw ValidationError("--keep must be 1 or more") }
        return PointRetention(
            count: keep, age: try keepFor.map(Arguments.span),
            bytes: try keepBytes.map(Arguments.size))
    }
}

/// Arguments that are quantities.
enum Arguments {
    static func span(_ text: String) throws -> Milliseconds {
        guard let span = Quantity.span(text) else {
            throw ValidationError("\(text) is no span: write 30d, 12h, 45m or 90s")
        }
        return span
    }

    static func size(_ text: String) throws -> ByteCount {
        guard let size = Quantity.size(text) else {
            throw ValidationError("\(text) is no size: write 500MiB, 20GiB or 1TiB")
        }
        return size
    }
}

extension PointCommand {
    /// `belay-agent point prune`.
    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a point, or those that retention no longer keeps.",
            discussion: """
                Points of open rollouts, of the armed guard, of restores that are not finished and
                the last good one always stay. Without options the policy decides.
                """)
        @OptionGroup var asking: AskingOptions
        @Argument(help: "This point alone.") var point: String?
        @OptionGroup var keeping: RetentionOptions
        @Flag(help: "Say what would go, and remove nothing.") var dryRun = false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var request = PointRequest(action: .prune, point: point)
            request.retention = try keeping.retention()
            if point != nil, request.retention != nil {
                throw ValidationError("name a point or say what to keep, not both")
            }
            request.dryRun = dryRun ? true : nil
            let reply = try await asking.ask(request)
            try output.show(reply) { _, style in
                reply.prune.map { PointText.pruned($0, isDryRun: dryRun, style: style) } ?? []
            }
        }
    }

    /// `belay-agent point scrub`.
    struct Scrub: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read all stored objects back now; damage ends with 6.")
        @OptionGroup var asking: AskingOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try output.looked(try await asking.ask(PointRequest(action: .scrub)), isRepair: false)
        }
    }

    /// `belay-agent point repair`.
    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Bring damaged objects back from live files that still match; a rest ends with 6.")
        @OptionGroup var asking: AskingOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try output.looked(try await asking.ask(PointRequest(action: .repair)), isRepair: true)
        }
    }
}

extension OutputOptions {
    /// Prints what a scrub or a repair found; damage that is left ends with 6.
    func looked(_ reply: PointReply, isRepair: Bool) throws {
        let damaged = reply.damaged ?? []
        try show(reply) { _, style in
            (reply.scrub.map { PointText.scrubbed($0, isRepair: isRepair, style: style) } ?? [])
                + damaged.map { style.paint("damaged: ", .bad) + $0 }
        }
        if !damaged.isEmpty || reply.scrub?.damagedPoints.isEmpty == false { throw ExitCode(6) }
    }
}
