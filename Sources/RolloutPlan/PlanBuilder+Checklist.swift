import RolloutChecklist

extension PlanBuilder {
    func checklist(_ value: PlacedValue) -> [ChecklistItem]? {
        value["checklist"]?.list.map { item in
            ChecklistItem(
                id: item["id"]?.text ?? "", category: item["category"]?.text ?? "",
                description: item["description"]?.text ?? "",
                dependsOn: item["depends_on"]?.texts ?? [],
                isCritical: item["critical"]?.boolean ?? false,
                isRequired: item["required"]?.boolean ?? false, assignee: item["assignee"]?.text,
                estimate: item["estimate"]?.span)
        }
    }
}
