/// What has to be done before anything changes.
extension PlanShape {
    private typealias Field = ObjectShape.Field

    static let checklistItem = ObjectShape(
        what: "a checklist item",
        fields: [
            Field("id", .text, required: true, "Unique in the checklist."),
            Field("category", .text, required: true, "Groups items in tables."),
            Field("description", .text, required: true, "What is to be done."),
            Field("depends_on", .list(.text), "Items that come before it."),
            Field("critical", .boolean, "True: no host is changed before it is done or skipped."),
            Field("required", .boolean, "True: it can never be skipped."),
            Field("assignee", .text, "Whose it is; for people."),
            Field("estimate", .span(atLeast: 1000), "How long it is thought to take."),
        ])
}
