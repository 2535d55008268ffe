package import FleetWire
package import RolloutChecklist

/// A rollout's checklist as operators see it.
package struct ChecklistView: Codable, Sendable, Hashable {
    /// One item.
    package struct Item: Codable, Sendable, Hashable {
        /// Its id.
        package var id: String
        /// Groups items.
        package var category: String
        /// What is to be done.
        package var description: String
        /// Items that come before it.
        package var dependsOn: [String]
        /// True if no host is changed before it is completed or skipped.
        package var critical: Bool
        /// True if it can never be skipped.
        package var required: Bool
        /// Whose it is.
        package var assignee: String?
        /// Where it stands.
        package var state: ItemState
        /// What a change of it has to name.
        package var revision: Int
        /// How often it was begun.
        package var attempt: Int
        /// Who changed it last.
        package var by: String?
        /// Why, in that person's words.
        package var reason: String?
        /// When its last attempt began.
        package var startedAt: Timestamp?
        /// When it was completed, failed or skipped.
        package var endedAt: Timestamp?
        /// What keeps it from beginning, as a sentence.
        package var waitsFor: String?
    }
    /// The items, in the plan's order.
    package var items: [Item]
    /// How far it is.
    package var progress: ChecklistProgress
    /// Critical items that the first wave still waits for.
    package var openCritical: [String]

    init(_ list: Checklist, now: Timestamp) {
        items = list.items.indices.map { place in
            let item = list.items[place]
            let record = list.records[place]
            return Item(
                id: item.id, category: item.category, description: item.description,
                dependsOn: item.dependsOn, critical: item.isCritical, required: item.isRequired,
                assignee: item.assignee, state: list.state(of: place), revision: record.revision,
                attempt: record.attempt, by: record.by, reason: record.reason,
                startedAt: record.startedAt, endedAt: record.endedAt,
                waitsFor: list.waitsFor(place))
        }
        progress = list.progress(at: now)
        openCritical = list.openCritical.map { list.items[$0].id }
    }
}
