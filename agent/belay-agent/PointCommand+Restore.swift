import AgentRuntime
import ArgumentParser
import FleetWire
import Synchronization

/// Lines that came before an answer, kept for programs.
final class Collected: Sendable {
    private let kept = Mutex(ControlLine())

    func add(_ line: ControlLine) {
        kept.withLock {
            if let entries = line.entries { $0.entries = ($0.entries ?? []) + entries }
            if let changes = line.changes { $0.changes = ($0.changes ?? []) + changes }
            if let damaged = line.damaged { $0.damaged = ($0.damaged ?? []) + damaged }
        }
    }

    var lines: ControlLine { kept.withLock { $0 } }
}

/// Which components of a point.
struct ChoiceOptions: ParsableArguments {
    @Option(help: "full, component=NAME, flags, config or data.") var scope: String?
    @Option(name: .customLong("component"), help: "This component alone; may be repeated.")
    var components: [String] = []

    func fill(_ request: inout PointRequest) throws {
        request.scope = try scope.map {
            guard let scope = RollbackScope($0) else { throw ValidationError("\($0) is no scope") }
            return scope
        }
        guard !components.isEmpty else { return }
        request.only = try components.map {
            guard let name = ComponentName($0) else {
                throw ValidationError("\($0) is no component")
            }
            return name
        }
    }
}

extension AskingOptions {
    /// The answer with all differences, which are printed as they come unless a program reads.
    func changes(_ request: PointRequest, _ output: OutputOptions) async throws -> PointReply {
        let collected = Collected()
        let isProgram = output.isProgram
        let style = Stream.output.style
        var reply = try await ask(request) { line in
            if isProgram {
                collected.add(line)
            } else {
                Stream.output.lines((line.changes ?? []).map { PointText.change($0, style: style) })
            }
        }
        if isProgram { reply.changes = collected.lines.changes ?? [] }
        return reply
    }
}

extension PointCommand {
    /// `belay-agent point diff`.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what differs between two points, or between a point and now.",
            discussion: "+ is only in the newer state, - only in the older, ~ in both and differs.")
        @OptionGroup var asking: AskingOptions
        @Argument(help: "The older state.") var point: String
        @Argument(help: "The newer state: a point, or now.") var other = "now"
        @OptionGroup var choice: ChoiceOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var request = PointRequest(action: .diff, point: point)
            request.other = other == "now" ? nil : other
            try choice.fill(&request)
            let reply = try await asking.changes(request, output)
            if output.isProgram { try output.show(reply) { _, _ in [] } }
        }
    }

    /// `belay-agent point verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "See whether a point can be restored; damage ends with 6.")
        @OptionGroup var asking: AskingOptions
        @Argument(help: "The point.") var point: String
        @Flag(help: "Read and rehash every object, not only what describes the point.")
        var deep = false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var request = PointRequest(action: .verify, point: point)
            request.deep = deep
            let collected = Collected()
            var reply = try await asking.ask(request) { collected.add($0) }
            let damaged = collected.lines.damaged ?? []
            reply.damaged = damaged
            let id = reply.points.first?.id.rawValue ?? point
            try output.show(reply) { _, style in
                damaged.isEmpty
                    ? [style.paint("whole: ", .good) + id]
                    : damaged.map { style.paint("damaged: ", .bad) + $0 }
            }
            if !damaged.isEmpty { throw ExitCode(6) }
        }
    }

    /// `belay-agent point restore`.
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give components back exactly as a point holds them.",
            discussion: """
                The present state is captured first and can be restored in turn. A restore that was
                stopped or cut off can be run again; what is left half done is said by status.
                What an open rollout changed is taken back by `belay-agent rollback`.
                """)
        @OptionGroup var asking: AskingOptions
        @Argument(help: "The point.") var point: String
        @OptionGroup var choice: ChoiceOptions
        @Flag(help: "List what would change, and change nothing.") var dryRun = false
        @Flag(help: "Do not capture the present state first.") var noCapture = false
        @Option(help: "Why.") var reason: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var request = PointRequest(action: .restore, point: point)
            request.dryRun = dryRun ? true : nil
            request.noCapture = noCapture ? true : nil
            request.reason = reason
            try choice.fill(&request)
            let reply = try await asking.changes(request, output)
            try output.show(reply) { _, _ in
                reply.restore.map { PointText.restored($0, isDryRun: dryRun) } ?? []
            }
        }
    }
}
