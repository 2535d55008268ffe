package import FleetWire
package import RolloutPlan

/// What a rollout begins with; frozen in its first event.
package struct RolloutDefinition: Codable, Sendable, Hashable {
    /// The plan held against the fleet.
    package var plan: ResolvedPlan
    /// Hosts whose agents were connected when the rollout was made.
    package var connected: [HostID]
    /// A definition of these fields.
    package init(plan: ResolvedPlan, connected: [HostID]) {
        self.plan = plan
        self.connected = connected
    }
}
