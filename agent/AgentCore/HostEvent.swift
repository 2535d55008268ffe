package import FleetWire

/// What can happen to the host machine. Each event comes with the moment at which it happened.
package enum HostEvent: Codable, Sendable, Hashable {
    /// The agent began to run. `guard` is what the guard did while no agent ran.
    case started(guard: GuardOutcome?)
    /// The coordinator ordered something in a message of this id.
    case order(TransactionOrder, generation: Generation, message: String)
    /// The coordinator's term, heard in a welcome.
    case term(Generation)
    /// A session with the coordinator stands; it was dialled after the last `reconnect`.
    case connected
    /// The session ended.
    case disconnected
    /// Reports up to this sequence number are durable at the coordinator.
    case acknowledged(upTo: UInt64)
    /// The work that an effect ordered has ended.
    case finished(work: UInt64, WorkResult)
    /// The guard acted while the agent ran but was too slow.
    case guardActed(GuardOutcome)
    /// Time passed.
    case tick
    /// An operator on the host takes something back; nil rollout is the newest that changed it.
    /// Nil `acrossPointOfNoReturn` is false, and a nil reason is none: older journals have neither.
    case operatorRollback(
        rollout: RolloutID?, scope: RollbackScope, point: PointID?,
        acrossPointOfNoReturn: Bool?, reason: String?)
    /// Somebody asks for a restore that belongs to no rollout; ignored where
    /// `HostMachine.obstacleToRestore` gives a reason.
    case restore(HostRestore)
    /// Who asked for that restore wants it stopped.
    case stopRestore
}

/// How a piece of work ended.
package enum WorkResult: Codable, Sendable, Hashable {
    /// An artifact is here, there is space, a pause is over, or the guard was told.
    case done
    /// It cannot be done, and why; nothing was changed.
    case problem(String)
    /// The point is durable and verified.
    case point(PointSummary)
    /// The step's try ended.
    case step(StepOutcome)
    /// The checks ended.
    case checks([CheckResult])
    /// What was kept before the undo, as text lines by topic.
    case evidence([String: String])
    /// The components are as they were captured.
    case restored(took: Milliseconds)
    /// The same for a restore that belongs to no rollout: entries written or repaired, and removed.
    case restoredPoint(changed: Int, removed: Int, took: Milliseconds)
    /// They are not, and why.
    case notRestored(String, took: Milliseconds)
    /// The guard was faster; this is what it did.
    case guardActed(GuardOutcome)
}

/// What the guard did, as it wrote it to `guard/outcome.json`.
package struct GuardOutcome: Codable, Sendable, Hashable {
    /// How it ended.
    package enum Ending: String, Codable, Sendable, Hashable {
        /// The host is in its old state.
        case rolledBack = "rolled_back"
        /// It could not be brought there; `reason` says why.
        case rollbackFailed = "rollback_failed"
        /// The verification checks passed and the plan says `commit-if-valid`.
        case kept
    }
    /// The rollout.
    package var rollout: RolloutID
    /// The attempt.
    package var attempt: Int
    /// How it ended.
    package var ending: Ending
    /// Why it acted, or why it failed.
    package var reason: String
    /// How long the restore took.
    package var took: Milliseconds
    /// When it ended, by the host's clock.
    package var at: Timestamp
    /// What was kept before the undo.
    package var evidence: [String: String]
    /// An outcome of these fields.
    package init(
        rollout: RolloutID, attempt: Int, ending: Ending, reason: String, took: Milliseconds,
        at: Timestamp, evidence: [String: String]
    ) {
        self.rollout = rollout
        self.attempt = attempt
        self.ending = ending
        self.reason = reason
        self.took = took
        self.at = at
        self.evidence = evidence
    }
}
