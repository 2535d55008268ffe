package import FleetWire

/// One rollout: events in, effects out. No I/O, no clock, no randomness.
package struct RolloutMachine: Codable, Sendable {
    /// What it began with; nil before `created`.
    package var definition: RolloutDefinition?
    /// A machine before its first event.
    package init() {}

    /// Takes the next event and gives what is to be done, in order.
    package mutating func handle(_ event: RolloutEvent) -> [RolloutEffect] { [] }
    /// Why a command is refused now, with what to do; nil if it is taken.
    package func refusal(of command: OperatorCommand) -> String? { nil }
    /// True in succeeded, rolledBack, rollbackFailed and aborted once no host is under way.
    package var isFinished: Bool { false }
    /// Hosts that no other rollout may touch now.
    package var heldHosts: [HostID] { [] }
    /// The rollout as operators see it; nil before `created`. `now` is for estimates only.
    package func view(now: Timestamp) -> RolloutView? { nil }
    /// What one host waits for; nil if it is not in the rollout.
    package func why(host: HostID, now: Timestamp) -> WhyView? { nil }
}
