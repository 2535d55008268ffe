package import FleetWire

/// A host as the coordinator knows it.
package struct HostView: Codable, Sendable, Hashable {
    /// Its id.
    package var id: HostID
    /// What operators say of it.
    package var labels: [String: String]
    /// What its agent found.
    package var facts: [String: String]
    /// True while its agent is connected.
    package var connected: Bool
    /// When it was last heard.
    package var lastSeen: Timestamp?
    /// Its clock minus the coordinator's, when it last connected.
    package var clockSkew: Milliseconds?
    /// The agent's version.
    package var agentVersion: String?
    /// When its certificate ends.
    package var certificateEnds: Timestamp
    /// Set once it was revoked: why.
    package var revoked: String?
    /// The rollout that holds it.
    package var heldBy: RolloutID?
    /// Its newest metrics.
    package var metrics: [String: Double]
    /// What it says is wrong with itself, until that is mended; oldest first.
    package var troubles: [HostTrouble]
    /// A view of a host that was never seen.
    package init(
        id: HostID, labels: [String: String], connected: Bool, certificateEnds: Timestamp,
        revoked: String?
    ) {
        self.id = id
        self.labels = labels
        self.connected = connected
        self.certificateEnds = certificateEnds
        self.revoked = revoked
        facts = [:]
        metrics = [:]
        troubles = []
    }
}

/// Changes labels; an empty value is a value, a nil one removes.
package struct LabelChange: Codable, Sendable, Hashable {
    /// Labels to set.
    package var set: [String: String]
    /// Labels to remove.
    package var remove: [String]
    /// A change of these labels.
    package init(set: [String: String], remove: [String]) {
        self.set = set
        self.remove = remove
    }
}

/// A reason, where one is kept.
package struct ReasonBody: Codable, Sendable, Hashable {
    /// The operator's words.
    package var reason: String?
    /// A body with this reason.
    package init(reason: String?) { self.reason = reason }
}
