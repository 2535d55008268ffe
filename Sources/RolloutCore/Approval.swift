package import FleetWire

/// One person's word for a gate.
package struct Approval: Codable, Sendable, Hashable {
    /// Who gave it.
    package var by: String
    /// When.
    package var at: Timestamp
    /// Why, in that person's words.
    package var reason: String?
    /// Why it does not count any more; nil while it does.
    package var void: String?
    /// An approval that counts.
    package init(by: String, at: Timestamp, reason: String?) {
        self.by = by
        self.at = at
        self.reason = reason
    }

    /// `ada (ticket 7)`, or the name alone.
    var text: String { reason.map { "\(by) (\($0))" } ?? by }
}
