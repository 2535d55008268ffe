import RolloutChecklist

extension PlanChecker {
    mutating func checkChecklist(_ path: PlanPath) {
        guard let items = plan.checklist else { return }
        guard !items.isEmpty, items.count <= PlanLimits.checklistItemsMax else {
            error(
                path,
                items.isEmpty
                    ? "a checklist without items would hold nothing up; leave the key out"
                    : "the checklist has \(items.count) items; at most "
                        + "\(PlanLimits.checklistItemsMax) can be kept in view")
            return
        }
        for (number, item) in items.enumerated() {
            checkTexts(of: item, path[number])
        }
        for problem in ChecklistProblem.all(in: items) {
            let place = path[problem.item]
            error(
                problem.dependency.map { place["depends_on"][$0] } ?? place["id"], problem.message)
        }
        if !items.contains(where: \.isCritical) {
            warn(path, "no item is `critical`, so the checklist holds nothing up")
        }
    }

    private mutating func checkTexts(of item: ChecklistItem, _ path: PlanPath) {
        if !Self.isTemplateName(item.id) || item.id.utf8.count > 64 {
            error(
                path["id"],
                "`\(item.id)` is not an id; expected 1 to 64 of letters, digits, `-`, `_`, `.` "
                    + "and `/`")
        }
        let texts = [
            ("category", item.category), ("description", item.description),
            ("assignee", item.assignee ?? "nobody"),
        ]
        for (key, text) in texts
        where text.isEmpty || text.utf8.count > 512 || text.contains(where: \.isNewline) {
            error(path[key], "expected 1 to 512 bytes in one line")
        }
    }
}
