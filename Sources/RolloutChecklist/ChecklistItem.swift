package import FleetWire

/// One thing that has to be done or known before a rollout changes anything.
package struct ChecklistItem: Codable, Sendable, Hashable {
    /// Unique in the checklist.
    package var id: String
    /// Groups items in tables and reports.
    package var category: String
    /// What is to be done.
    package var description: String
    /// Items that have to be completed or skipped before this one begins.
    package var dependsOn: [String]
    /// True if no host is changed before it is completed or skipped.
    package var isCritical: Bool
    /// True if it can never be skipped.
    package var isRequired: Bool
    /// Whose it is; for people.
    package var assignee: String?
    /// How long it is thought to take; nil if nobody said so.
    package var estimate: Milliseconds?
    /// An item of these fields.
    package init(
        id: String, category: String, description: String, dependsOn: [String] = [],
        isCritical: Bool = false, isRequired: Bool = false, assignee: String? = nil,
        estimate: Milliseconds? = nil
    ) {
        self.id = id
        self.category = category
        self.description = description
        self.dependsOn = dependsOn
        self.isCritical = isCritical
        self.isRequired = isRequired
        self.assignee = assignee
        self.estimate = estimate
    }
}

/// Where an item stands.
package enum ItemState: String, Codable, Sendable, Hashable, CaseIterable {
    /// Not begun. Becomes in progress or skipped; shown as blocked while a failure stands before it.
    case pending
    /// Somebody is at it. Becomes completed or failed.
    case inProgress = "in_progress"
    /// Done, for good.
    case completed
    /// Went wrong. Becomes in progress again, or skipped.
    case failed
    /// Waived by a person with a reason, for good.
    case skipped
    /// Pending with a failed item before it; derived, never kept.
    case blocked

    /// As a sentence has it: `in progress`.
    package var text: String { self == .inProgress ? "in progress" : rawValue }

    /// True if items that depend on it may begin.
    package var isSettled: Bool {
        switch self {
        case .completed, .skipped: true
        case .pending, .inProgress, .failed, .blocked: false
        }
    }
}
