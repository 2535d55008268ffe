import ArgumentParser
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutChecklist
import RolloutCore

/// `belay checklist …`.
struct ChecklistCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checklist", abstract: "See and work on a rollout's checklist.",
        subcommands: [Show.self, Start.self, Done.self, Fail.self, Skip.self])

    /// `belay checklist show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show each item, what it waits for, and how far the checklist is.")
        @Argument(help: "The rollout; the newest open one if left out.")
        var rollout: RolloutID?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await APIClient.with { client in
                let id = try await client.chosen(rollout)
                let list = try await client.checklist(of: id)
                try output.show(list) { isWide, style in
                    ChecklistText.show(list, now: Clock.now, isWide: isWide, style: style)
                }
            }
        }
    }
}

/// The commands that change one item.
protocol ChecklistChanging: AsyncParsableCommand {
    var target: ChecklistTarget { get }
    var reason: ReasonOptions { get }
    var output: OutputOptions { get }
    /// What becomes of the item.
    static var action: ChecklistChange.Action { get }
}

/// Which item, as its author saw it.
struct ChecklistTarget: ParsableArguments {
    @Argument(help: "The rollout.") var rollout: RolloutID
    @Argument(help: "The item's id.") var item: String
    @Option(
        help: """
            The item's revision that this rests on, as `show` gives it; another one now is a \
            conflict. Left out: as it is now.
            """)
    var revision: Int?
}

extension ChecklistChanging {
    func run() async throws {
        try await APIClient.with { client in
            let id = target.rollout
            var revision = target.revision
            if revision == nil {
                // An item that is not there is refused by the coordinator, with the nearest name.
                revision =
                    try await client.checklist(of: id).items.first { $0.id == target.item }?
                    .revision ?? 0
            }
            let change = ChecklistChange(
                item: target.item, action: Self.action, revision: revision ?? 0)
            let view: RolloutView = try await client.send(
                .POST, client.path(id, "commands"),
                CommandRequest(command: .checklist(change), reason: reason.reason),
                to: "\(Self.action.rawValue) item \(target.item) of rollout \(id)")
            let list = try client.checklist(in: view)
            guard let item = list.items.first(where: { $0.id == target.item }) else { return }
            try output.show(item) { _, style in
                ChecklistText.changed(item, list, style: style)
            }
        }
    }
}

extension ChecklistCommand {
    /// `belay checklist start`.
    struct Start: ChecklistChanging {
        static let configuration = CommandConfiguration(
            abstract: "Begin an item, or the next attempt of one that failed.")
        static let action = ChecklistChange.Action.start
        @OptionGroup var target: ChecklistTarget
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
    }

    /// `belay checklist done`.
    struct Done: ChecklistChanging {
        static let configuration = CommandConfiguration(
            abstract: "Complete an item that is in progress.")
        static let action = ChecklistChange.Action.done
        @OptionGroup var target: ChecklistTarget
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions
    }

    /// `belay checklist fail`.
    struct Fail: ChecklistChanging {
        static let configuration = CommandConfiguration(
            abstract: "Say that an item in progress went wrong; needs --reason.")
        static let action = ChecklistChange.Action.fail
        @OptionGroup var target: ChecklistTarget
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions

        func validate() throws { try reason.require(for: "fail") }
    }

    /// `belay checklist skip`.
    struct Skip: ChecklistChanging {
        static let configuration = CommandConfiguration(
            abstract: "Waive an item that is not required; needs --reason.")
        static let action = ChecklistChange.Action.skip
        @OptionGroup var target: ChecklistTarget
        @OptionGroup var reason: ReasonOptions
        @OptionGroup var output: OutputOptions

        func validate() throws { try reason.require(for: "skip") }
    }
}

extension APIClient {
    /// The checklist of a rollout. Throws `CommandFailure` if it has none.
    func checklist(of id: RolloutID) async throws -> ChecklistView {
        try checklist(in: await get(path(id), to: "show the checklist of rollout \(id)"))
    }

    /// The checklist in a view. Throws `CommandFailure` if it has none.
    func checklist(in view: RolloutView) throws -> ChecklistView {
        guard let list = view.checklist else {
            throw CommandFailure(
                .notFound, "the plan of rollout \(view.id) has no checklist",
                remedy: "docs/reference/plan.md, \"Checklist\", says how a plan has one")
        }
        return list
    }
}
