package import FleetWire

/// What the machine wants done. The caller makes the state durable first, then carries effects out
/// in order; the end of every piece of work comes back as `HostEvent.finished` with its number.
package enum HostEffect: Codable, Sendable, Hashable {
    /// Fetch an artifact and verify its digest; one that is already here and whole is done.
    case fetch(work: UInt64, ArtifactRef)
    /// See whether a capture of these components fits on the disk.
    case checkSpace(work: UInt64, [ComponentSpec])
    /// Capture, verify and sync a rollback point.
    case capture(work: UInt64, [ComponentSpec], reason: String, rollout: RolloutID)
    /// Write the order durably and start the guard; done once it watches.
    case arm(work: UInt64, GuardOrder)
    /// Replace the armed guard's order durably (its deadline moved).
    case rearm(GuardOrder)
    /// Tell the guard durably that it is not needed; `guardActed` if it was faster.
    case disarm(work: UInt64, RolloutID, attempt: Int)
    /// Run one try of a step.
    case step(work: UInt64, StepSpec, Stage, HostPlan)
    /// Wait before the next try.
    case pause(work: UInt64, Milliseconds)
    /// Run checks.
    case checks(work: UInt64, [CheckSpec], HostPlan)
    /// Keep what shows why the host failed.
    case evidence(work: UInt64, HostPlan, reason: String)
    /// Restore components (all if nil) of a point, unless the guard was faster.
    case restore(
        work: UInt64, PointID, [ComponentName]?, rollout: RolloutID, attempt: Int)
    /// Capture the present state of all that the restore's point holds.
    case saveBefore(work: UInt64, HostRestore)
    /// Carry out a restore that belongs to no rollout.
    case restorePoint(work: UInt64, HostRestore)
    /// End this work soon; its end is still reported.
    case cancel(work: UInt64)
    /// Drop the session and dial again.
    case reconnect
    /// Send a report on the session, if there is one.
    case send(TransactionReport)
    /// Answer the message of this id with a refusal.
    case refuse(message: String, Refusal)
}

/// What the guard needs to take a host back without the agent.
package struct GuardOrder: Codable, Sendable, Hashable {
    /// The plan, without the stages that the guard has no use for.
    package var plan: HostPlan
    /// The attempt.
    package var attempt: Int
    /// The point that it restores.
    package var point: PointID
    /// When it acts without confirmation, by the host's clock.
    package var deadline: Timestamp
    /// How far the deadline lay ahead when this order was written.
    package var within: Milliseconds
    /// True if the agent waits for an unreachable coordinator; the guard then acts only when the
    /// agent dies.
    package var holding: Bool
    /// True once all steps ran and all checks passed; before that nothing can be kept.
    package var complete: Bool
    /// What is done at the deadline; steps tagged `network` turn `hold` into `rollback`.
    package var policy: CoordinatorLost
    /// An order of these fields.
    package init(
        plan: HostPlan, attempt: Int, point: PointID, deadline: Timestamp, within: Milliseconds,
        holding: Bool, complete: Bool,
        policy: CoordinatorLost
    ) {
        self.plan = plan
        self.attempt = attempt
        self.point = point
        self.deadline = deadline
        self.within = within
        self.holding = holding
        self.complete = complete
        self.policy = policy
    }
}
