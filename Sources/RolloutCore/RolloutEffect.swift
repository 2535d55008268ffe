package import FleetWire
package import RolloutPlan

/// What a rollout machine wants done; each is fully specific and idempotent.
package enum RolloutEffect: Sendable, Hashable {
    /// Send an order to a host; lost if the host is not connected, and given again when it is.
    case order(HostID, TransactionOrder)
    /// Ask a gate: checks on these hosts are answered with `gateChecked`, all else with `gateProbed`.
    /// Never given for approvals.
    case evaluateGate(wave: String, gate: ResolvedGate, round: Int, hosts: [HostID])
    /// Read the plan's calendar and answer with `calendarRead`.
    case readCalendar(WorkCalendar)
    /// Compare a host's present state with the point and answer with `compared`.
    case compare(HostID, PointID)
    /// Add a line to the rollout's history.
    case note(HistoryEntry)
    /// Mark digests as known bad, for good or until a moment.
    case quarantine([Digest], reason: String, until: Timestamp?)
    /// Give `ticked` at this moment or soon after.
    case wake(at: Timestamp)
}

/// One line of a rollout's history, for people and reports; derived from the journal, so it is the
/// same after every replay.
package struct HistoryEntry: Codable, Sendable, Hashable {
    /// When, by the coordinator's clock.
    package var at: Timestamp
    /// Who: `operator:<name>`, `host:<id>` or `coordinator`.
    package var actor: String
    /// How much it matters.
    package var level: Level
    /// The host that it is about.
    package var host: HostID?
    /// The wave that it is about.
    package var wave: String?
    /// The stage that it is about.
    package var stage: Stage?
    /// One sentence.
    package var text: String
    /// The step's run, with its output.
    package var step: StepReport?
    /// Results of checks.
    package var checks: [CheckResult]?
    /// What was kept before an undo, text by topic.
    package var evidence: [String: String]?
    /// How much a line matters.
    package enum Level: String, Codable, Sendable, Hashable { case info, warning, error }
    /// A line of these fields; the rest is nil.
    package init(
        at: Timestamp, actor: String, level: Level = .info, host: HostID? = nil,
        wave: String? = nil, text: String
    ) {
        self.at = at
        self.actor = actor
        self.level = level
        self.host = host
        self.wave = wave
        self.text = text
    }
}
