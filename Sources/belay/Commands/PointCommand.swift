import ArgumentParser
import FleetWire
import OperatorAPI

/// `belay point …`.
struct PointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "point", abstract: "Rollback points on a host, a selection or the fleet.",
        subcommands: [
            Create.self, List.self, Show.self, Verify.self, Diff.self, Restore.self, Prune.self,
            Repair.self,
        ])

    /// `belay point list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List points; of all hosts unless some are chosen.")
        @OptionGroup var choice: HostsChoice
        @Option(help: "Only points of this name.") var name: String?
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let wanted = pace.request(choice, PointRequest(action: .list))
            var answers = try await PointSession.ask(wanted, to: "list points of \(choice.words)")
            if let name {
                for index in answers.indices {
                    answers[index].reply?.points.removeAll { $0.name != name }
                }
            }
            try output.show(answers) { PointText.list(answers, isWide: $0, style: $1) }
            try PointSession.end(answers)
        }
    }

    /// `belay point show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what a point holds.")
        @OptionGroup var point: PointChoice
        @OptionGroup var choice: HostsChoice
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            try choice.demand()
            try point.demand()
        }

        func run() async throws {
            let wanted = pace.request(choice, PointRequest(action: .show, point: point.text))
            let answers = try await PointSession.ask(
                wanted, to: "show point \(point.text) of \(choice.words)", wholly: true)
            try output.show(answers) { _, style in PointText.show(answers, style: style) }
            try PointSession.end(answers)
        }
    }

    /// `belay point verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look whether a point can be restored; damage ends with 6.",
            discussion: """
                Reads what describes the point: its manifest and catalogues, and that all stored \
                objects are there. With --deep every object is read back and hashed.
                """)
        @OptionGroup var point: PointChoice
        @OptionGroup var choice: HostsChoice
        @Flag(help: "Read every stored object back and hash it.") var deep = false
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            try choice.demand()
            try point.demand()
        }

        func run() async throws {
            var request = PointRequest(action: .verify, point: point.text)
            if deep { request.deep = true }
            let answers = try await PointSession.ask(
                pace.request(choice, request), to: "verify point \(point.text) of \(choice.words)",
                wholly: true)
            try output.show(answers) { _, style in
                PointText.verify(answers, isDeep: deep, style: style)
            }
            try PointSession.end(answers)
            // What was not looked at is never whole.
            if answers.contains(where: { $0.reply?.damaged == nil }) {
                throw EndWith(status: .inconclusive)
            }
        }
    }

    /// `belay point diff`.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what differs between a point and now, or between two points.",
            discussion: """
                Of one host every difference is a line; of many hosts they are counted, and -o wide \
                lists them.
                """)
        @OptionGroup var point: PointChoice
        @Option(
            name: .customLong("to"), help: "The newer point; the host as it is now if left out.")
        var other: String?
        @OptionGroup var choice: HostsChoice
        @Option(help: "full, component=NAME, flags, config or data.")
        var scope: RollbackScope?
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            try choice.demand()
            try point.demand()
        }

        func run() async throws {
            var request = PointRequest(action: .diff, point: point.text)
            request.other = other
            request.scope = scope
            let answers = try await PointSession.ask(
                pace.request(choice, request),
                to: "compare point \(point.text) of \(choice.words) with \(other ?? "now")",
                wholly: choice.isOneHost || output.format != .table)
            try output.show(answers) { isWide, style in
                PointText.changes(
                    answers, lists: isWide || choice.isOneHost, past: "differs", style: style)
            }
            try PointSession.end(answers)
        }
    }
}
