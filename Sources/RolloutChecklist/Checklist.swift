package import FleetWire

/// A checklist under way: changes in, states out. No I/O, no clock, no randomness.
///
/// At every moment, all dependencies of an item that began are completed or skipped.
package struct Checklist: Codable, Sendable, Hashable {
    /// What is known of one item.
    package struct Record: Codable, Sendable, Hashable {
        /// Where it stands; never `blocked`.
        package internal(set) var state = ItemState.pending
        /// Raised by each change.
        package internal(set) var revision = 0
        /// How often it was begun.
        package internal(set) var attempt = 0
        /// Who changed it last; nil before the first change.
        package internal(set) var by: String?
        /// Why, in that person's words.
        package internal(set) var reason: String?
        /// When its last attempt began.
        package internal(set) var startedAt: Timestamp?
        /// When it was completed, failed or skipped.
        package internal(set) var endedAt: Timestamp?
    }

    /// The items, in the plan's order; each stands after all that it depends on in `order`.
    package let items: [ChecklistItem]
    /// One for each item.
    package private(set) var records: [Record]
    /// For each item the items that it depends on.
    let before: [[Int]]
    /// The items so that each comes after its dependencies.
    let order: [Int]

    /// A checklist where nothing was done; nil if `ChecklistProblem.all` finds something.
    package init?(_ items: [ChecklistItem]) {
        guard ChecklistProblem.all(in: items).isEmpty else { return nil }
        self.items = items
        records = items.map { _ in Record() }
        let index = Dictionary(
            items.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        before = items.map { $0.dependsOn.compactMap { index[$0] } }
        order = ChecklistOrder(before).order
    }

    /// The place of an item; nil if there is none of the name.
    package func place(of id: String) -> Int? { items.firstIndex { $0.id == id } }

    /// Why a change is not taken now; nil if it is.
    package func refusal(of change: ChecklistChange, reason: String?) -> ChecklistRefusal? {
        guard let place = place(of: change.item) else {
            return ChecklistRefusal(
                kind: .unknownItem,
                message: "the checklist has no item \(change.item)"
                    + NearestName.hint(change.item, among: items.map(\.id)))
        }
        let record = records[place]
        let name = change.item
        if record.revision != change.revision {
            return conflict(
                "\(name) was changed meanwhile\(record.by.map { " by \($0)" } ?? ""): it is "
                    + "\(record.state.text), revision \(record.revision), not \(change.revision); "
                    + "look at it again")
        }
        switch (record.state, change.action) {
        case (.pending, .start), (.failed, .start): return refusalOfStart(place)
        case (.inProgress, .done): return nil
        case (.inProgress, .fail): return refusalWithout(reason, "an item fails only with a reason")
        case (.pending, .skip), (.failed, .skip):
            if items[place].isRequired {
                return refused("\(name) is required, so it cannot be skipped; do it")
            }
            return refusalWithout(reason, "an item is skipped only with a reason")
        case (.pending, .done), (.pending, .fail), (.failed, .done), (.failed, .fail):
            return refused("\(name) is \(record.state.text); `start` it first")
        case (.inProgress, .start): return conflict("\(name) is in progress already\(who(record))")
        case (.inProgress, .skip):
            return refused("\(name) is in progress\(who(record)); say `done` or `fail` first")
        case (.completed, _), (.skipped, _):
            return conflict("\(name) is \(record.state.text) already\(who(record))")
        case (.blocked, _): preconditionFailure("blocked is derived, never kept")
        }
    }

    /// Takes a change that `refusal` lets through; anything else moves nothing and is given back.
    package mutating func take(
        _ change: ChecklistChange, by: String, reason: String?, at: Timestamp
    ) -> ChecklistRefusal? {
        if let refusal = refusal(of: change, reason: reason) { return refusal }
        guard let place = place(of: change.item) else { return nil }
        records[place].revision += 1
        records[place].by = by
        records[place].reason = reason
        switch change.action {
        case .start:
            records[place].state = .inProgress
            records[place].attempt += 1
            records[place].startedAt = at
            records[place].endedAt = nil
        case .done: end(place, .completed, at)
        case .fail: end(place, .failed, at)
        case .skip: end(place, .skipped, at)
        }
        return nil
    }

    /// Where an item stands for people: pending ones with a failure before them are blocked.
    package func state(of place: Int) -> ItemState {
        records[place].state == .pending && !blockers(of: place).isEmpty
            ? .blocked : records[place].state
    }

    /// Failed items that keep a pending one from beginning, each with the items between, the failed
    /// one first; empty if none does. Of several ways to one failure the first is given.
    package func blockers(of place: Int) -> [[Int]] {
        guard records[place].state == .pending else { return [] }
        var found: [[Int]] = []
        var seen: Set<Int> = []
        var open: [(item: Int, way: [Int])] = before[place].map { ($0, []) }
        while let (item, way) = open.popLast() {
            guard seen.insert(item).inserted else { continue }
            switch records[item].state {
            case .failed: found.append([item] + way)
            case .pending: open += before[item].map { ($0, [item] + way) }
            case .inProgress, .completed, .skipped, .blocked: break
            }
        }
        return found.sorted { $0[0] < $1[0] }
    }

    /// What keeps a pending item from beginning, as a sentence; nil if nothing does.
    package func waitsFor(_ place: Int) -> String? {
        guard records[place].state == .pending else { return nil }
        let blockers = blockers(of: place)
        if !blockers.isEmpty {
            return "blocked by "
                + blockers.map { way in
                    let failed = items[way[0]].id
                    let why = records[way[0]].reason.map { " (failed: \($0))" } ?? " (failed)"
                    let through = way.dropFirst().map { items[$0].id }
                    return failed + why
                        + (through.isEmpty ? "" : " through \(through.joined(separator: ", "))")
                }.joined(separator: " and ")
        }
        let open = before[place].filter { !records[$0].state.isSettled }
        guard !open.isEmpty else { return nil }
        return "waits for "
            + open.map { "\(items[$0].id) (\(records[$0].state.text))" }.joined(separator: ", ")
    }

    // MARK: - Private parts

    private mutating func end(_ place: Int, _ state: ItemState, _ at: Timestamp) {
        records[place].state = state
        records[place].endedAt = at
    }

    private func refusalOfStart(_ place: Int) -> ChecklistRefusal? {
        waitsFor(place).map { refused("\(items[place].id) cannot begin: it \(isBlocked($0))") }
    }

    private func isBlocked(_ text: String) -> String {
        text.hasPrefix("blocked") ? "is \(text); `start` that again or `skip` it" : text
    }

    private func refusalWithout(_ reason: String?, _ rule: String) -> ChecklistRefusal? {
        reason?.isEmpty == false ? nil : refused("\(rule); add `--reason`")
    }

    private func who(_ record: Record) -> String { record.by.map { " (\($0))" } ?? "" }

    private func conflict(_ message: String) -> ChecklistRefusal {
        ChecklistRefusal(kind: .conflict, message: message)
    }

    private func refused(_ message: String) -> ChecklistRefusal {
        ChecklistRefusal(kind: .refused, message: message)
    }
}
