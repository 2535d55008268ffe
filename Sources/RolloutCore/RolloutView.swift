package import FleetWire

/// Where a rollout stands (DESIGN section 6).
package enum RolloutState: String, Codable, Sendable, Hashable, CaseIterable {
    /// Made; nothing was sent. → awaitingApproval, running
    case planned
    /// Waits for `approve`. → running, aborted
    case awaitingApproval = "awaiting_approval"
    /// Goes on by itself. → paused, succeeded, rollingBack, aborted
    case running
    /// Starts nothing new. → running, rollingBack, aborted
    case paused
    /// All hosts are committed, failed within budget, or skipped. → rollingBack
    case succeeded
    /// Takes hosts back. → rolledBack, rollbackFailed, or back to succeeded or aborted after a part
    case rollingBack = "rolling_back"
    /// All that was changed was taken back. → rollingBack
    case rolledBack = "rolled_back"
    /// At least one host could not be taken back. → rollingBack
    case rollbackFailed = "rollback_failed"
    /// Ended by an operator or by policy; changed hosts are left as they are. → rollingBack
    case aborted
}

/// Where one host of a rollout stands (DESIGN section 6).
package enum HostState: String, Codable, Sendable, Hashable, CaseIterable {
    case pending, preparing, validating, ready, migrating, verifying, soaking, committed
    case failed, unreachable
    case timedOut = "timed_out"
    case rollingBack = "rolling_back"
    case rolledBack = "rolled_back"
    case rollbackFailed = "rollback_failed"
    case skipped, late

    /// Its name, in words.
    package var label: String { rawValue.replacing("_", with: " ") }
}

/// A rollout as operators see it.
package struct RolloutView: Codable, Sendable, Hashable {
    /// Its id.
    package var id: RolloutID
    /// The plan's name.
    package var name: String
    /// The plan's digest.
    package var planDigest: Digest
    /// Who made it.
    package var by: String
    /// Where it stands.
    package var state: RolloutState
    /// Why it is there, one sentence.
    package var reason: String
    /// When it was made.
    package var createdAt: Timestamp
    /// When it ended.
    package var endedAt: Timestamp?
    /// The last journal record that it includes; filled in by the coordinator.
    package var sequence: UInt64
    /// Its waves in order.
    package var waves: [WaveView]
    /// Its hosts in order of waves.
    package var hosts: [HostView]
    /// Each budget scope: `fleet`, `wave canary`, `domain a`, …
    package var budgets: [BudgetView]
    /// Hosts that are unavailable now.
    package var unavailable: Int
    /// How many may be.
    package var unavailableMax: Int
    /// When it should end if nothing goes wrong; nil while that cannot be told.
    package var estimatedEnd: Timestamp?
    /// What it waits for.
    package var why: WhyView
    /// The gate before the first step that cannot be taken back; nil if there is no such step.
    package var pointOfNoReturn: GateView?
    /// The rehearsal of the way back, once it began.
    package var rehearsal: RehearsalView?
    /// Hosts that came too late; nil if there are none.
    package var late: LateView?
    /// The plan's checklist; nil without one.
    package var checklist: ChecklistView?

    /// One wave.
    package struct WaveView: Codable, Sendable, Hashable {
        /// Its name.
        package var name: String
        /// Where it stands.
        package var state: State
        /// Its hosts.
        package var hosts: [HostID]
        /// When its soak ends, while it soaks.
        package var soakUntil: Timestamp?
        /// Its gates.
        package var gates: [GateView]
        /// How far it has grown; nil if it does not grow.
        package var growth: GrowthView?
        /// `waiting` → `migrating` → `soaking` → `gating` → `passed`; `failed`.
        package enum State: String, Codable, Sendable, Hashable {
            case waiting, migrating, soaking, gating, passed, failed
        }
        /// A wave of these fields.
        package init(
            name: String, state: State, hosts: [HostID], soakUntil: Timestamp?, gates: [GateView]
        ) {
            self.name = name
            self.state = state
            self.hosts = hosts
            self.soakUntil = soakUntil
            self.gates = gates
        }
    }

    /// One gate of a wave.
    package struct GateView: Codable, Sendable, Hashable {
        /// Its name.
        package var name: String
        /// True if a person opens it.
        package var manual: Bool
        /// The newest verdict; nil before the first evaluation.
        package var verdict: Verdict?
        /// What it rests on, one sentence.
        package var detail: String
        /// Different persons who must approve; nil if it is not persons who open it.
        package var persons: Int?
        /// Who approved, the void ones included; nil if nobody did.
        package var approvals: [Approval]?
        /// How long an approval counts; nil if for good.
        package var approvalsHold: Milliseconds?
        /// A gate of these fields.
        package init(name: String, manual: Bool, verdict: Verdict?, detail: String) {
            self.name = name
            self.manual = manual
            self.verdict = verdict
            self.detail = detail
        }
    }

    /// One host.
    package struct HostView: Codable, Sendable, Hashable {
        /// Its id.
        package var id: HostID
        /// Its wave.
        package var wave: String
        /// Its failure domain; empty without domains.
        package var domain: String
        /// Where it stands.
        package var state: HostState
        /// Since when.
        package var since: Timestamp
        /// True while its agent is connected.
        package var connected: Bool
        /// The attempt, from 1; 0 before the first order.
        package var attempt: Int
        /// The stage that runs or ran last.
        package var stage: Stage?
        /// The phase of the step that runs or ran last.
        package var phase: String?
        /// The step that runs or ran last.
        package var step: String?
        /// Steps done in all stages.
        package var stepsDone: Int
        /// Steps in all stages.
        package var stepsTotal: Int
        /// True once its components were changed.
        package var changed: Bool
        /// Its rollback point of this rollout.
        package var point: PointID?
        /// Why it failed, one sentence.
        package var failure: String?
        /// The step that cannot be taken back which it began.
        package var pastReturn: String?
        /// How long its restore took.
        package var restoreTook: Milliseconds?
        /// A host that has done nothing yet.
        package init(
            id: HostID, wave: String, domain: String, state: HostState, since: Timestamp,
            connected: Bool, stepsTotal: Int
        ) {
            self.id = id
            self.wave = wave
            self.domain = domain
            self.state = state
            self.since = since
            self.connected = connected
            self.stepsTotal = stepsTotal
            attempt = 0
            stepsDone = 0
            changed = false
        }
    }

    /// One scope of the failure budget.
    package struct BudgetView: Codable, Sendable, Hashable {
        /// `fleet`, `wave NAME` or `domain NAME`.
        package var scope: String
        /// Hosts that may go wrong.
        package var limit: Int
        /// Hosts that went wrong.
        package var spent: [HostID]
        /// `2 of 20 lost (10 %), 1 allowed: 5 % of 20 rounded down`.
        package var arithmetic: String?
        /// A scope of these fields.
        package init(scope: String, limit: Int, spent: [HostID]) {
            self.scope = scope
            self.limit = limit
            self.spent = spent
        }
    }

    /// A view of these fields; `sequence` is 0.
    package init(
        id: RolloutID, name: String, planDigest: Digest, by: String, state: RolloutState,
        reason: String, createdAt: Timestamp, endedAt: Timestamp?, waves: [WaveView],
        hosts: [HostView], budgets: [BudgetView], unavailable: Int, unavailableMax: Int,
        estimatedEnd: Timestamp?, why: WhyView
    ) {
        self.id = id
        self.name = name
        self.planDigest = planDigest
        self.by = by
        self.state = state
        self.reason = reason
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.sequence = 0
        self.waves = waves
        self.hosts = hosts
        self.budgets = budgets
        self.unavailable = unavailable
        self.unavailableMax = unavailableMax
        self.estimatedEnd = estimatedEnd
        self.why = why
    }
}

/// What a rollout or a host waits for.
package struct WhyView: Codable, Sendable, Hashable {
    /// One sentence: what it waits for.
    package var waitsFor: String
    /// Since when.
    package var since: Timestamp
    /// One sentence: what happens next.
    package var next: String
    /// When that is, if time alone decides.
    package var nextAt: Timestamp?
    /// Hosts that hold it up.
    package var hosts: [HostID]
    /// A view of these fields.
    package init(
        waitsFor: String, since: Timestamp, next: String, nextAt: Timestamp?, hosts: [HostID]
    ) {
        self.waitsFor = waitsFor
        self.since = since
        self.next = next
        self.nextAt = nextAt
        self.hosts = hosts
    }
}
