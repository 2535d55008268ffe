package import FleetWire

/// What an operator on the host asks, over `control.sock` or of the state itself: one line of JSON
/// each way.
package struct ControlRequest: Codable, Sendable, Hashable {
    /// The things that can be asked.
    package enum Command: String, Codable, Sendable, Hashable {
        case status, validate, point, rollback
    }
    /// What to do.
    package var command: Command
    /// With validate: the checks; nil takes the verification checks of the open transaction.
    package var checks: [CheckSpec]?
    /// With point: what to do. Create without components takes those of the newest rollout.
    package var point: PointRequest?
    /// With rollback: which rollout; nil is the newest that changed the host.
    package var rollout: RolloutID?
    /// With rollback: which part; nil is all.
    package var scope: RollbackScope?
    /// With rollback: to which point; nil is the rollout's own.
    package var to: PointID?
    /// A request of this command.
    package init(_ command: Command) { self.command = command }
}

/// The answer to a `ControlRequest`.
package struct ControlReply: Codable, Sendable, Hashable {
    /// Why it was not done.
    package var refusal: Refusal?
    /// With status.
    package var status: AgentStatus?
    /// With validate.
    package var results: [CheckResult]?
    /// With point.
    package var points: PointReply?
    /// With rollback: how the transaction stands after it.
    package var outcome: String?
    /// An answer without content.
    package init() {}
}

/// How the agent stands.
package struct AgentStatus: Codable, Sendable, Hashable {
    /// One remembered transaction.
    package struct Transaction: Codable, Sendable, Hashable {
        /// The rollout.
        package var rollout: RolloutID
        /// The attempt within it.
        package var attempt: Int
        /// Where it stands.
        package var phase: String
        /// Its rollback point.
        package var point: PointID?
    }
    /// The host.
    package var host: HostID
    /// The coordinator's address.
    package var coordinator: String
    /// True while a session stands; false when no agent runs.
    package var isConnected: Bool
    /// The highest term that was seen.
    package var generation: Generation
    /// Reports that wait for acknowledgement.
    package var unacknowledged: Int
    /// True while a guard watches.
    package var isGuarded: Bool
    /// Newest last.
    package var transactions: [Transaction]
}
