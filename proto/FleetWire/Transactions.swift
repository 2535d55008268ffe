/// The host transaction as it travels: what a host has to do, the orders that move it, and the
/// reports that say where it stands.

/// Everything that one host has to do in one rollout; frozen when the rollout is made.
package struct HostPlan: Codable, Sendable, Hashable {
    /// The rollout.
    package var rollout: RolloutID
    /// The digest of the plan that it was compiled from.
    package var planDigest: Digest
    /// Labels of this host, for templates.
    package var labels: [String: String]
    /// Variables of the plan, for templates.
    package var variables: [String: String]
    /// Artifacts that steps name.
    package var artifacts: [ArtifactRef]
    /// Components, captured in this order and restored in this order.
    package var components: [ComponentSpec]
    /// Work by stage; a stage that is missing has no steps and no checks.
    package var stages: [StageSpec]
    /// Without confirmation for this long after its last step the host takes itself back.
    package var confirmWithin: Milliseconds
    /// What the guard does when nobody confirms.
    package var coordinatorLost: CoordinatorLost
    /// A host plan of these fields.
    package init(
        rollout: RolloutID, planDigest: Digest, labels: [String: String],
        variables: [String: String], artifacts: [ArtifactRef], components: [ComponentSpec],
        stages: [StageSpec], confirmWithin: Milliseconds, coordinatorLost: CoordinatorLost
    ) {
        self.rollout = rollout
        self.planDigest = planDigest
        self.labels = labels
        self.variables = variables
        self.artifacts = artifacts
        self.components = components
        self.stages = stages
        self.confirmWithin = confirmWithin
        self.coordinatorLost = coordinatorLost
    }

    /// The work of one stage; empty if the plan has none.
    package func stage(_ stage: Stage) -> StageSpec {
        stages.first { $0.stage == stage } ?? StageSpec(stage: stage, steps: [], checks: [])
    }
}

/// The work of one stage: steps in order, then all checks.
package struct StageSpec: Codable, Sendable, Hashable {
    /// The stage.
    package var stage: Stage
    /// Run one after the other; the first that fails ends the stage.
    package var steps: [StepSpec]
    /// Run together after the steps; a critical one that does not pass fails the stage.
    package var checks: [CheckSpec]
    /// The work of a stage.
    package init(stage: Stage, steps: [StepSpec], checks: [CheckSpec]) {
        self.stage = stage
        self.steps = steps
        self.checks = checks
    }
}

/// An artifact by its content.
package struct ArtifactRef: Codable, Sendable, Hashable {
    /// The name that steps use.
    package var name: String
    /// Its content.
    package var digest: Digest
    /// Its size.
    package var size: ByteCount
    /// A reference of these fields.
    package init(name: String, digest: Digest, size: ByteCount) {
        self.name = name
        self.digest = digest
        self.size = size
    }
}

/// What a host does when nobody confirmed in time.
package enum CoordinatorLost: String, Codable, Sendable, Hashable {
    /// Roll back if the coordinator is reachable and silent or a check fails; with the coordinator
    /// unreachable stay as it is and wait.
    case hold
    /// Commit if the verification checks still pass, else roll back.
    case commitIfValid = "commit-if-valid"
    /// Roll back.
    case rollback
}

/// What the coordinator orders a host to do. Idempotent by (rollout, attempt, verb).
package struct TransactionOrder: Codable, Sendable, Hashable {
    /// The rollout.
    package var rollout: RolloutID
    /// The attempt on this host, from 1; a retry raises it.
    package var attempt: Int
    /// What to do.
    package var verb: OrderVerb
    /// With prepare, validate and migrate; nil with the others.
    package var plan: HostPlan?
    /// With rollback: which part.
    package var scope: RollbackScope?
    /// With rollback: to which point; nil is the transaction's own.
    package var point: PointID?
    /// With rollback: true if a host goes back that began a step marked `irreversible`; without it
    /// such a host refuses with `past_return`.
    package var acrossPointOfNoReturn: Bool?
    /// Why the coordinator orders it.
    package var why: String
    /// An order of these fields.
    package init(
        rollout: RolloutID, attempt: Int, verb: OrderVerb, plan: HostPlan? = nil,
        scope: RollbackScope? = nil, point: PointID? = nil, acrossPointOfNoReturn: Bool? = nil,
        why: String
    ) {
        self.acrossPointOfNoReturn = acrossPointOfNoReturn
        self.rollout = rollout
        self.attempt = attempt
        self.verb = verb
        self.plan = plan
        self.scope = scope
        self.point = point
        self.why = why
    }
}

/// The verbs of orders.
package enum OrderVerb: String, Codable, Sendable, Hashable {
    /// Fetch and verify artifacts, reserve space for the point, run stage preparation.
    /// Ends in `prepared` or `failed`.
    case prepare
    /// Run stage validation; nothing changes. Ends in `validated` or `failed`.
    case validate
    /// Validation again, point, guard, migration, verification.
    /// Ends in `verified`, or in `rolledBack` or `rollbackFailed` by itself after `failed`.
    case migrate
    /// Keep the change. Ends in `confirmed`.
    case confirm
    /// Run stage finalization and let go of what was held. Ends in `committed` or `failed`
    /// (and stays confirmed).
    case commit
    /// Take it back, at any time from `migrate` on, after commit too.
    /// Ends in `rolledBack` or `rollbackFailed`.
    case rollback
    /// Forget a transaction that changed nothing. Ends in `released`.
    case release
}

/// The kinds of reports, in the order in which a transaction can make them.
package enum ReportKind: String, Codable, Sendable, Hashable {
    case prepared, validated
    /// A step began (`step` is set).
    case stepStarted = "step_started"
    /// A step ended (`step` is set).
    case stepFinished = "step_finished"
    /// Checks of a stage ended (`checks` is set).
    case checksFinished = "checks_finished"
    /// The rollback point is durable and verified (`point` is set).
    case captured
    /// The guard is armed.
    case guarded
    /// All steps ran and all checks passed on a connection made after the last step; the host waits
    /// for confirmation until `deadline`.
    case verified
    case confirmed, committed
    /// A stage failed (`stage`, `failure`); `mutated` says if anything had changed. After
    /// `mutated` true a `rollingBack` follows, unless a step marked `irreversible` had begun.
    case failed
    case rollingBack = "rolling_back"
    case rolledBack = "rolled_back"
    case rollbackFailed = "rollback_failed"
    case released
}

/// What a host tells of a transaction. Kept by the agent and resent until acknowledged.
package struct TransactionReport: Codable, Sendable, Hashable {
    /// Counts the host's reports from 1 without gaps, over all transactions.
    package var sequence: UInt64
    /// The rollout.
    package var rollout: RolloutID
    /// The attempt.
    package var attempt: Int
    /// When, by the host's clock.
    package var at: Timestamp
    /// What happened.
    package var kind: ReportKind
    /// The stage in which it happened.
    package var stage: Stage?
    /// With stepStarted and stepFinished.
    package var step: StepReport?
    /// With checksFinished.
    package var checks: [CheckResult]?
    /// With captured and rolledBack: the point.
    package var point: PointSummary?
    /// With guarded and verified: when the guard acts without confirmation.
    package var deadline: Timestamp?
    /// With failed, rollingBack and rollbackFailed: why, in words. With rolledBack: what else went
    /// wrong, such as a save of the state before the rollback; nil if nothing did.
    package var failure: String?
    /// With failed: true if components had been changed.
    package var mutated: Bool?
    /// With rollingBack and rolledBack: which part.
    package var scope: RollbackScope?
    /// With rolledBack: who did it.
    package var by: RollbackActor?
    /// With rolledBack and rollbackFailed: how long the restore took.
    package var took: Milliseconds?
    /// With rollingBack: the evidence that was kept before the undo, as text lines by topic.
    package var evidence: [String: String]?
    /// A report of these fields; the rest is nil.
    package init(
        sequence: UInt64, rollout: RolloutID, attempt: Int, at: Timestamp, kind: ReportKind
    ) {
        self.sequence = sequence
        self.rollout = rollout
        self.attempt = attempt
        self.at = at
        self.kind = kind
    }
}

/// Who rolled a host back.
package enum RollbackActor: String, Codable, Sendable, Hashable {
    case agent, `guard`
    case operatorOnHost = "operator_on_host"
}

/// One step's run.
package struct StepReport: Codable, Sendable, Hashable {
    /// Its place in the stage, from 0.
    package var index: Int
    /// Its name.
    package var name: String
    /// Its phase.
    package var phase: String?
    /// The try, from 1.
    package var attempt: Int
    /// How it ended; nil while it runs.
    package var outcome: StepOutcome?
    /// A report of these fields.
    package init(index: Int, name: String, phase: String?, attempt: Int, outcome: StepOutcome?) {
        self.index = index
        self.name = name
        self.phase = phase
        self.attempt = attempt
        self.outcome = outcome
    }
}

/// How a step ended.
package struct StepOutcome: Codable, Sendable, Hashable {
    /// Done, try again later, failed or timed out.
    package var status: StepStatus
    /// One sentence: what was done, or why it failed and what to do.
    package var message: String
    /// The last 4 KiB of its output, redacted; empty if there was none.
    package var output: String
    /// How long it ran.
    package var took: Milliseconds
    /// An outcome of these fields.
    package init(status: StepStatus, message: String, output: String, took: Milliseconds) {
        self.status = status
        self.message = message
        self.output = output
        self.took = took
    }
}

/// The ways in which a step can end.
package enum StepStatus: String, Codable, Sendable, Hashable {
    case done
    case retryLater = "retry_later"
    case failed
    case timedOut = "timed_out"
}
