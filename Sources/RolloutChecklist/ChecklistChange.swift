/// What somebody tells a checklist about one item.
package struct ChecklistChange: Codable, Sendable, Hashable {
    /// What became of the item.
    package enum Action: String, Codable, Sendable, Hashable, CaseIterable {
        /// Somebody begins with it, or with its next attempt.
        case start
        /// It is done.
        case done
        /// It went wrong; needs a reason.
        case fail
        /// It is waived; needs a reason.
        case skip
    }
    /// The item.
    package var item: String
    /// What became of it.
    package var action: Action
    /// The revision of the item that its author saw; another one now refuses the change.
    package var revision: Int
    /// A change of these fields.
    package init(item: String, action: Action, revision: Int) {
        self.item = item
        self.action = action
        self.revision = revision
    }
}

/// Why a change is not taken.
package struct ChecklistRefusal: Error, Sendable, Hashable {
    /// What stands against it.
    package enum Kind: Sendable, Hashable {
        /// There is no such item.
        case unknownItem
        /// The item is not as the author of the change saw it, or is past it.
        case conflict
        /// The change is against the rules.
        case refused
    }
    /// What stands against it.
    package var kind: Kind
    /// One sentence with what to do.
    package var message: String
    /// A refusal of these fields.
    package init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }
}
