import FleetWire
import RolloutChecklist
import RolloutCore

extension ReportText {
    /// Every item of the checklist: who did or waived it, when, and why.
    static func checklist(_ list: ChecklistView) -> Table {
        let head = [
            "Item", "Category", "What", "Rules", "State", "By", "Began", "Ended", "Note",
        ]
        let rows = list.items.map { item in
            [
                item.id, item.category, item.description,
                marks(item), item.state.text,
                item.by ?? "–", item.startedAt.map(time) ?? "–", item.endedAt.map(time) ?? "–",
                item.waitsFor ?? item.reason ?? "–",
            ]
        }
        let progress = list.progress
        return ("Checklist: \(progress.percent) % of \(progress.total) items", [head] + rows)
    }

    private static func marks(_ item: ChecklistView.Item) -> String {
        let marks = (item.critical ? ["critical"] : []) + (item.required ? ["required"] : [])
        return marks.isEmpty ? "–" : marks.joined(separator: ", ")
    }
}
