/// Rollback points as they are listed and asked for.

/// One rollback point.
package struct PointSummary: Codable, Sendable, Hashable {
    /// Its id; ids sort by time.
    package var id: PointID
    /// When it was taken, by the host's clock.
    package var at: Timestamp
    /// Why it was taken: `before migration`, `before rollback`, or the operator's words.
    package var reason: String
    /// The rollout that took it.
    package var rollout: RolloutID?
    /// What it holds.
    package var components: [PointComponent]
    /// The digest of its manifest.
    package var digest: Digest
    /// An operator's name for it, unique on the host.
    package var name: String?
    /// Why retention keeps it whatever its age: `open rollout R`, `armed guard`, `last good`,
    /// `restore under way`. Nil for one that may be pruned.
    package var inUse: String?
    /// True if the last look at it found damage, nil if it found none.
    package var isDamaged: Bool?
    /// A summary of these fields.
    package init(
        id: PointID, at: Timestamp, reason: String, rollout: RolloutID?,
        components: [PointComponent], digest: Digest, name: String? = nil,
        inUse: String? = nil, isDamaged: Bool? = nil
    ) {
        self.id = id
        self.at = at
        self.reason = reason
        self.rollout = rollout
        self.components = components
        self.digest = digest
        self.name = name
        self.inUse = inUse
        self.isDamaged = isDamaged
    }
}

/// One component's capture within a point.
package struct PointComponent: Codable, Sendable, Hashable {
    /// The component.
    package var name: ComponentName
    /// Its driver's name.
    package var driver: String
    /// Files and other entries that it holds.
    package var entries: Int
    /// Their size.
    package var bytes: ByteCount
    /// What its driver warns of, such as a secret in clear; never with a secret.
    package var notes: [String]?
    /// A capture of these fields.
    package init(
        name: ComponentName, driver: String, entries: Int, bytes: ByteCount,
        notes: [String]? = nil
    ) {
        self.name = name
        self.driver = driver
        self.entries = entries
        self.bytes = bytes
        self.notes = notes
    }
}
