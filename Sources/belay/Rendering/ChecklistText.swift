import FleetWire
import RolloutChecklist
import RolloutCore

/// A rollout's checklist.
enum ChecklistText {
    static func show(
        _ list: ChecklistView, now: Timestamp, isWide: Bool, style: Style
    ) -> [String] {
        var titles = ["ITEM", "CATEGORY", "STATE", "BY", "NOTE"]
        if isWide { titles += ["REVISION", "ATTEMPT", "ASSIGNEE", "AGE", "DESCRIPTION"] }
        var table = TextTable(titles, right: ["REVISION", "ATTEMPT", "AGE"])
        table.rows = list.items.map { item in
            var row = [
                item.id + (item.critical ? "!" : ""), item.category,
                style.paint(item.state.text, role(item.state)), item.by ?? "",
                item.waitsFor ?? item.reason ?? "",
            ]
            if isWide {
                row += [
                    "\(item.revision)", "\(item.attempt)", item.assignee ?? "",
                    (item.endedAt ?? item.startedAt)?.age(at: now) ?? "", item.description,
                ]
            }
            return row
        }
        return table.lines(style: style) + [""] + progress(list.progress) + [gate(list)]
    }

    /// What a change came to.
    static func changed(
        _ item: ChecklistView.Item, _ list: ChecklistView, style: Style
    ) -> [String] {
        [
            "\(item.id) is \(style.paint(item.state.text, role(item.state))), revision "
                + "\(item.revision)", gate(list),
        ]
    }

    private static func progress(_ progress: ChecklistProgress) -> [String] {
        let states = ItemState.allCases.compactMap { state in
            progress.counts[state.rawValue].map { "\($0) \(state.text)" }
        }
        var lines = ["\(progress.percent)% of \(progress.total): \(states.joined(separator: ", "))"]
        guard !progress.criticalPath.isEmpty else { return lines }
        let missing = progress.unestimated.count
        lines.append(
            "longest way left: " + progress.criticalPath.joined(separator: " > ") + ", "
                + (missing == 0
                    ? "about \(progress.remaining.text)"
                    : "at least \(progress.remaining.text); "
                        + QuantityText.count(missing, "item") + " without an estimate"))
        return lines
    }

    private static func gate(_ list: ChecklistView) -> String {
        list.openCritical.isEmpty
            ? "no critical item is open"
            : "the first wave waits for: \(list.openCritical.joined(separator: ", "))"
    }

    private static func role(_ state: ItemState) -> Style.Role {
        switch state {
        case .completed: .good
        case .failed, .blocked: .bad
        case .skipped: .caution
        case .inProgress: .active
        case .pending: .faint
        }
    }
}
