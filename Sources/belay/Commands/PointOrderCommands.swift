import ArgumentParser
import FleetWire
import OperatorAPI
import RolloutPlan

extension PointCommand {
    /// `belay point create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a point now.",
            discussion: """
                Captures the components of --plan, or of each host's newest rollout. With --name the \
                points of many hosts have one name: the fleet's point in time.
                """)
        @OptionGroup var choice: HostsChoice
        @Option(help: "The point's name, unique on each host.") var name: String?
        @Option(
            help: "The plan whose components are captured.",
            completion: .file(extensions: ["yaml", "yml"]))
        var plan: String?
        @Flag(help: "Read every file, also those that look unchanged since the last capture.")
        var reread = false
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws { try choice.demand() }

        func run() async throws {
            var request = PointRequest(action: .create)
            request.components = try plan.map { try PlanFile.load($0).plan.components }
            request.name = name
            request.reason = reason.reason
            if reread { request.rereads = true }
            let answers = try await PointSession.order(
                pace.request(choice, request), to: "make a point of \(choice.words)")
            try output.show(answers) { PointText.list(answers, isWide: $0, style: $1) }
            try PointSession.end(answers)
        }
    }

    /// `belay point restore`.
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give components back as a point holds them.",
            discussion: """
                Looks at the point on every host before the first is touched, then restores a few \
                hosts at a time and stops at the first that fails. The state before is captured \
                first, so that a restore can be taken back. A host that a rollout holds is refused.
                """)
        @OptionGroup var point: PointChoice
        @OptionGroup var choice: HostsChoice
        @Option(help: "full, component=NAME, flags, config or data.")
        var scope: RollbackScope?
        @Flag(help: "Say what would change, and change nothing.") var dryRun = false
        @Flag(help: "Do not ask.") var autoApprove = false
        @Option(help: "Hosts under way at the same time, for example 2 or 10%; 1 if left out.")
        var maxUnavailable: CountArgument?
        @Flag(help: "Go on with the other hosts when one is away, unfit or fails.")
        var keepGoing = false
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            try choice.demand()
            try point.demand()
        }

        func run() async throws {
            var request = PointRequest(action: .restore, point: point.text)
            request.scope = scope
            request.reason = reason.reason
            var wanted = pace.request(choice, request)
            if dryRun { return try await rehearse(wanted) }
            try await confirm(wanted)
            wanted.maxUnavailable = maxUnavailable?.count
            if keepGoing { wanted.keepGoing = true }
            let answers = try await PointSession.order(
                wanted, to: "restore \(choice.words) to point \(point.text)")
            try output.show(answers) { _, style in PointText.restored(answers, style: style) }
            try PointSession.end(answers)
        }

        private func ask(_ wanted: FleetPointRequest, wholly: Bool) async throws -> [PointAnswer] {
            var wanted = wanted
            wanted.request.dryRun = true
            return try await PointSession.ask(
                wanted,
                to: "see what restoring \(choice.words) to point \(point.text) would change",
                wholly: wholly)
        }

        private func rehearse(_ wanted: FleetPointRequest) async throws {
            let answers = try await ask(
                wanted, wholly: choice.isOneHost || output.format != .table)
            try output.show(answers) { isWide, style in
                PointText.changes(
                    answers, lists: isWide || choice.isOneHost, past: "would change", style: style)
            }
            try PointSession.end(answers)
        }

        private func confirm(_ wanted: FleetPointRequest) async throws {
            guard !autoApprove else { return }
            let question = Question()
            guard question.canBeAsked else {
                throw CommandFailure(
                    .usage,
                    "cannot ask whether to restore \(choice.words) to point \(point.text): there is "
                        + "no terminal",
                    remedy: "look at it with --dry-run, then give --auto-approve")
            }
            let answers = try await ask(wanted, wholly: false)
            Console.error.lines(
                PointText.changes(
                    answers, lists: false, past: "would change", style: Console.error.style))
            PointSession.tell(answers)
            let hosts = QuantityText.count(answers.count, "host")
            guard question.ask("\nRestore \(hosts)? Only \"yes\" is accepted: ") else {
                Console.error.line("not restored; nothing was changed")
                throw EndWith(status: .invalid)
            }
        }
    }

    /// `belay point prune`.
    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove points that are not to be kept, or one.",
            discussion: """
                Without a point and limits each host keeps what its own settings say. A point in use, \
                the last good one, and what another one needs always stay.
                """)
        @OptionGroup var point: PointChoice
        @OptionGroup var choice: HostsChoice
        @Option(help: "Keep at most this many, the newest.") var keep: Int?
        @Option(help: "Keep none older than this, for example 30d.") var olderThan: SpanArgument?
        @Option(help: "Keep the newest that take at most this, for example 2GiB.")
        var bytes: SizeArgument?
        @Flag(help: "Say what would be removed, and remove nothing.") var dryRun = false
        @Flag(help: "Do not ask.") var autoApprove = false
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        private var hasLimits: Bool { keep != nil || olderThan != nil || bytes != nil }

        func validate() throws {
            try choice.demand()
            if let keep, keep < 1 { throw ValidationError("--keep must be at least 1") }
            if hasLimits, !point.text.isEmpty {
                throw ValidationError("give a point or limits, not both")
            }
        }

        func run() async throws {
            var request = PointRequest(
                action: .prune, point: point.text.isEmpty ? nil : point.text)
            if hasLimits {
                request.retention = PointRetention(
                    count: keep, age: olderThan?.span, bytes: bytes?.size)
            }
            request.reason = reason.reason
            let wanted = pace.request(choice, request)
            if dryRun {
                let answers = try await rehearse(wanted)
                try output.show(answers) { PointText.pruned(answers, isWide: $0, style: $1) }
                return try PointSession.end(answers)
            }
            try await confirm(wanted)
            let answers = try await PointSession.order(
                wanted, to: "prune points of \(choice.words)")
            try output.show(answers) { PointText.pruned(answers, isWide: $0, style: $1) }
            try PointSession.end(answers)
        }

        private func rehearse(_ wanted: FleetPointRequest) async throws -> [PointAnswer] {
            var wanted = wanted
            wanted.request.dryRun = true
            return try await PointSession.ask(
                wanted, to: "see which points of \(choice.words) would be removed", isOrder: true)
        }

        private func confirm(_ wanted: FleetPointRequest) async throws {
            guard !autoApprove else { return }
            let question = Question()
            guard question.canBeAsked else {
                throw CommandFailure(
                    .usage,
                    "cannot ask whether to remove points of \(choice.words): there is no terminal",
                    remedy: "look at it with --dry-run, then give --auto-approve")
            }
            let answers = try await rehearse(wanted)
            Console.error.lines(
                PointText.pruned(answers, isWide: false, style: Console.error.style))
            PointSession.tell(answers)
            let count = answers.reduce(0) { $0 + ($1.reply?.prune?.removed.count ?? 0) }
            guard count > 0 else {
                Console.error.line("nothing is to be removed")
                throw EndWith(status: .done)
            }
            let what = QuantityText.count(count, "point")
            guard question.ask("\nRemove \(what)? Only \"yes\" is accepted: ") else {
                Console.error.line("nothing was removed")
                throw EndWith(status: .invalid)
            }
        }
    }

    /// `belay point repair`.
    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Store damaged objects of a point anew from live files that still match.",
            discussion: "What no live file has any more stays damaged and ends with 6.")
        @OptionGroup var point: PointChoice
        @OptionGroup var choice: HostsChoice
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var pace: PaceOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            try choice.demand()
            try point.demand()
        }

        func run() async throws {
            var request = PointRequest(action: .repair, point: point.text)
            request.reason = reason.reason
            let answers = try await PointSession.order(
                pace.request(choice, request), to: "repair point \(point.text) of \(choice.words)")
            try output.show(answers) { _, style in PointText.repaired(answers, style: style) }
            try PointSession.end(answers)
        }
    }
}
