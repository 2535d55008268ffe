package import FleetWire
package import RolloutPlan

/// What a rollout begins with; frozen in its first event.
package struct RolloutDefinition: Codable, Sendable, Hashable {
    /// The plan held against the fleet.
    package var plan: ResolvedPlan
    /// Hosts whose agents were connected when the rollout was made.
    package var connected: [HostID]
    /// Why it was made, in the operator's words.
    package var reason: String?
    /// Digests in quarantine that the operator let through; nil if there were none.
    package var overridden: [Digest]?
    /// True if it begins once the rollouts before it let go of its hosts (`admitted`).
    package var isQueued: Bool
    /// Rollouts that hold hosts of a queued one, as they were when it was made; for people.
    package var waitsFor: [RolloutID]
    /// A definition of these fields.
    package init(
        plan: ResolvedPlan, connected: [HostID], reason: String? = nil, isQueued: Bool = false,
        waitsFor: [RolloutID] = []
    ) {
        self.isQueued = isQueued
        self.waitsFor = waitsFor
        self.plan = plan
        self.connected = connected
        self.reason = reason
    }
}
