import FleetWire
import RolloutChecklist
import Testing

/// A checklist that tests drive by item names.
struct Driven {
    var list: Checklist
    var now = Timestamp(milliseconds: 0)

    init(_ items: ChecklistItem...) throws { list = try #require(Checklist(items)) }

    func place(_ id: String) throws -> Int { try #require(list.place(of: id)) }

    func state(_ id: String) throws -> ItemState { list.state(of: try place(id)) }

    /// Takes a change with the item's present revision.
    @discardableResult mutating func take(
        _ action: ChecklistChange.Action, _ id: String, by: String = "ada",
        reason: String? = "because"
    ) throws -> ChecklistRefusal? {
        let revision = list.records[try place(id)].revision
        return list.take(
            ChecklistChange(item: id, action: action, revision: revision), by: by, reason: reason,
            at: now)
    }

    /// Brings an item from pending to a kept state.
    mutating func bring(_ id: String, to state: ItemState) throws {
        let way: [ChecklistChange.Action] =
            switch state {
            case .pending, .blocked: []
            case .inProgress: [.start]
            case .completed: [.start, .done]
            case .failed: [.start, .fail]
            case .skipped: [.skip]
            }
        for action in way { #expect(try take(action, id) == nil) }
    }
}

func item(
    _ id: String, after: [String] = [], critical: Bool = false, required: Bool = false,
    takes seconds: Int64? = nil
) -> ChecklistItem {
    ChecklistItem(
        id: id, category: "test", description: "does \(id)", dependsOn: after,
        isCritical: critical, isRequired: required, estimate: seconds.map { .seconds($0) })
}

struct ChecklistTests {
    enum Outcome: Equatable { case becomes(ItemState), conflict, refused }

    /// Every kept state with every action; what is not here cannot compile away, see the count.
    static let table: [(ItemState, ChecklistChange.Action, Outcome)] = [
        (.pending, .start, .becomes(.inProgress)),
        (.pending, .done, .refused),
        (.pending, .fail, .refused),
        (.pending, .skip, .becomes(.skipped)),
        (.inProgress, .start, .conflict),
        (.inProgress, .done, .becomes(.completed)),
        (.inProgress, .fail, .becomes(.failed)),
        (.inProgress, .skip, .refused),
        (.completed, .start, .conflict),
        (.completed, .done, .conflict),
        (.completed, .fail, .conflict),
        (.completed, .skip, .conflict),
        (.failed, .start, .becomes(.inProgress)),
        (.failed, .done, .refused),
        (.failed, .fail, .refused),
        (.failed, .skip, .becomes(.skipped)),
        (.skipped, .start, .conflict),
        (.skipped, .done, .conflict),
        (.skipped, .fail, .conflict),
        (.skipped, .skip, .conflict),
    ]

    @Test func `the table has every kept state with every action`() {
        let pairs = Set(Self.table.map { "\($0.0) \($0.1)" })
        #expect(
            pairs.count == (ItemState.allCases.count - 1) * ChecklistChange.Action.allCases.count)
    }

    @Test(arguments: table.indices)
    func `an item moves as the table says`(row: Int) throws {
        let (state, action, outcome) = Self.table[row]
        var driven = try Driven(item("a"))
        try driven.bring("a", to: state)
        let before = driven.list
        let refusal = try driven.take(action, "a")
        switch outcome {
        case .becomes(let next):
            #expect(refusal == nil)
            #expect(try driven.state("a") == next)
            #expect(driven.list.records[0].revision == before.records[0].revision + 1)
            #expect(driven.list.records[0].by == "ada")
            #expect(driven.list.records[0].reason == "because")
        case .conflict:
            #expect(refusal?.kind == .conflict)
            #expect(driven.list == before, "a refused change moves nothing")
        case .refused:
            #expect(refusal?.kind == .refused)
            #expect(driven.list == before, "a refused change moves nothing")
        }
    }

    @Test(arguments: ItemState.allCases)
    func `an item begins only after what it depends on`(state: ItemState) throws {
        var driven = try Driven(item("a"), item("b", after: ["a"]))
        try driven.bring("a", to: state)
        #expect((try driven.take(.start, "b") == nil) == state.isSettled)
    }

    @Test(arguments: [ChecklistChange.Action.fail, .skip])
    func `a failure and a waiver need a reason`(action: ChecklistChange.Action) throws {
        var driven = try Driven(item("a"))
        if action == .fail { try driven.take(.start, "a") }
        #expect(try driven.take(action, "a", reason: nil)?.kind == .refused)
        #expect(try driven.take(action, "a", reason: "")?.kind == .refused)
        #expect(try driven.take(action, "a", reason: "ticket 7") == nil)
    }

    @Test(arguments: [ItemState.pending, .failed])
    func `a required item is never skipped`(state: ItemState) throws {
        var driven = try Driven(item("a", required: true))
        try driven.bring("a", to: state)
        let refusal = try driven.take(.skip, "a")
        #expect(refusal?.kind == .refused)
        #expect(refusal?.message.contains("required") == true)
        #expect(try driven.state("a") == state)
    }

    @Test func `a failure blocks what comes after it and says through which`() throws {
        var driven = try Driven(
            item("a"), item("b", after: ["a"]), item("c", after: ["b"]), item("d"))
        try driven.take(.start, "a")
        try driven.take(.fail, "a", reason: "disk full")
        #expect(try driven.state("b") == .blocked)
        #expect(try driven.state("c") == .blocked)
        #expect(try driven.state("d") == .pending)
        #expect(
            driven.list.waitsFor(try driven.place("c"))
                == "blocked by a (failed: disk full) through b")
        #expect(
            try driven.take(.start, "c")?.message
                == "c cannot begin: it is blocked by a (failed: disk full) through b; `start` that "
                + "again or `skip` it")
        try driven.take(.start, "a")
        #expect(try driven.state("c") == .pending, "a new attempt unblocks")
        #expect(driven.list.waitsFor(try driven.place("b")) == "waits for a (in progress)")
    }

    @Test func `a waiver unblocks and ends the way of a failure`() throws {
        var driven = try Driven(item("a"), item("b", after: ["a"]), item("c", after: ["b"]))
        try driven.bring("a", to: .failed)
        try driven.take(.skip, "b")
        #expect(try driven.state("c") == .pending)
        #expect(try driven.take(.start, "c") == nil)
    }

    @Test func `of two operators who saw the same, one is told of the other`() throws {
        var driven = try Driven(item("a"))
        let seen = ChecklistChange(item: "a", action: .start, revision: 0)
        #expect(driven.list.take(seen, by: "ada", reason: nil, at: driven.now) == nil)
        try driven.take(.fail, "a", reason: "no space")
        // Bob's page still shows the item as it was at first; `start` would be allowed by state.
        let refusal = driven.list.take(seen, by: "bob", reason: nil, at: driven.now)
        #expect(refusal?.kind == .conflict)
        #expect(
            refusal?.message
                == "a was changed meanwhile by ada: it is failed, revision 2, not 0; look at it "
                + "again")
    }

    @Test func `an unknown item is refused with the nearest name`() throws {
        let driven = try Driven(item("backup"))
        let change = ChecklistChange(item: "bakcup", action: .start, revision: 0)
        let refusal = driven.list.refusal(of: change, reason: nil)
        #expect(refusal?.kind == .unknownItem)
        #expect(refusal?.message.contains("backup`") == true)
    }
}
