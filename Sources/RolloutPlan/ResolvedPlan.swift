package import FleetWire
package import RolloutChecklist

/// A plan held against a fleet: every percentage is a count, every selector a list of hosts.
/// It is frozen in a rollout and does not change when the fleet does.
package struct ResolvedPlan: Codable, Sendable, Hashable {
    /// The plan's name.
    package var name: String
    /// The digest of the plan's document.
    package var planDigest: Digest
    /// The plan's artifacts, by name and digest.
    package var artifacts: [ArtifactRef]
    /// All hosts of the rollout, in order of waves.
    package var hosts: [ResolvedHost]
    /// The waves in order; together they hold each host once.
    package var waves: [ResolvedWave]
    /// How many at once.
    package var limits: RolloutLimits
    /// How many may go wrong.
    package var budget: FailureBudget
    /// What happens when too many went wrong.
    package var rollback: RollbackPolicy
    /// True if somebody must approve before the first host is touched.
    package var needsApproval: Bool
    /// What the hosts have to do; labels differ by host, see `hostPlan(for:rollout:)`.
    package var work: PlannedWork
    /// How it moves in time.
    package var pace: RolloutPace
    /// Hosts that are away.
    package var absence: AbsencePolicy
    /// How far it can be taken back.
    package var returning: ReturnPolicy
    /// What has to be done before any host is changed; nil without a checklist.
    package var checklist: [ChecklistItem]?
    /// A resolved plan of these fields.
    package init(
        name: String, planDigest: Digest, artifacts: [ArtifactRef], hosts: [ResolvedHost],
        waves: [ResolvedWave], limits: RolloutLimits, budget: FailureBudget,
        rollback: RollbackPolicy, needsApproval: Bool, work: PlannedWork,
        pace: RolloutPace = RolloutPace(), absence: AbsencePolicy = AbsencePolicy(),
        returning: ReturnPolicy = ReturnPolicy(), checklist: [ChecklistItem]? = nil
    ) {
        self.checklist = checklist
        self.pace = pace
        self.absence = absence
        self.returning = returning
        self.name = name
        self.planDigest = planDigest
        self.artifacts = artifacts
        self.hosts = hosts
        self.waves = waves
        self.limits = limits
        self.budget = budget
        self.rollback = rollback
        self.needsApproval = needsApproval
        self.work = work
    }

    /// The host's own plan, or nil if the host is not in the rollout.
    package func hostPlan(for host: HostID, rollout: RolloutID) -> HostPlan? {
        guard let resolved = hosts.first(where: { $0.id == host }) else { return nil }
        return HostPlan(
            rollout: rollout, planDigest: planDigest, labels: resolved.labels,
            variables: work.variables, artifacts: artifacts, components: work.components,
            stages: work.stages, confirmWithin: work.confirmWithin,
            coordinatorLost: work.coordinatorLost)
    }
}

/// One host of a rollout.
package struct ResolvedHost: Codable, Sendable, Hashable {
    /// Its id.
    package var id: HostID
    /// Its labels when the rollout was made.
    package var labels: [String: String]
    /// The value of the plan's domain label; empty if the plan has no domain or the host no label.
    package var domain: String
    /// A host of these fields.
    package init(id: HostID, labels: [String: String], domain: String) {
        self.id = id
        self.labels = labels
        self.domain = domain
    }
}

/// One wave with its hosts.
package struct ResolvedWave: Codable, Sendable, Hashable {
    /// Unique within the plan; the first is the canary.
    package var name: String
    /// Its hosts, in the order in which they go.
    package var hosts: [HostID]
    /// How long the wave is watched after its last host was confirmed.
    package var soak: Milliseconds
    /// What must hold before the next wave; evaluated at the end of the soak.
    package var gates: [ResolvedGate]
    /// How many of its hosts go at first; nil is as many as the limits allow.
    package var growth: WaveGrowth?
    /// What its hosts were chosen to cover and do not, such as `arch=arm64`.
    package var uncovered: [String]
    /// A wave of these fields.
    package init(
        name: String, hosts: [HostID], soak: Milliseconds, gates: [ResolvedGate],
        growth: WaveGrowth? = nil, uncovered: [String] = []
    ) {
        self.growth = growth
        self.uncovered = uncovered
        self.name = name
        self.hosts = hosts
        self.soak = soak
        self.gates = gates
    }
}

/// One gate of a wave.
package struct ResolvedGate: Codable, Sendable, Hashable {
    /// Unique within the wave.
    package var name: String
    /// Where its verdict comes from.
    package var probe: GateProbe
    /// What `every` is if the plan does not say it.
    package static let everyDefault = Milliseconds.seconds(5)
    /// What `inconclusiveFor` is if the plan does not say it.
    package static let inconclusiveForDefault = Milliseconds.seconds(60)
    /// An inconclusive gate is asked again this often, and fails after `inconclusiveFor`.
    package var every: Milliseconds
    /// How long it may stay inconclusive.
    package var inconclusiveFor: Milliseconds
    /// What an answer without data is.
    package var onNoData: NoData
    /// What an answer without data can be; never a pass.
    package enum NoData: String, Codable, Sendable, Hashable, CaseIterable {
        case inconclusive
        case fail
    }
    /// A gate of these fields.
    package init(
        name: String, probe: GateProbe, every: Milliseconds, inconclusiveFor: Milliseconds,
        onNoData: NoData = .inconclusive
    ) {
        self.name = name
        self.probe = probe
        self.every = every
        self.inconclusiveFor = inconclusiveFor
        self.onNoData = onNoData
    }

    /// Checks that run on each host of the wave; empty for other gates.
    package var checks: [CheckSpec] { if case .checks(let checks) = probe { checks } else { [] } }
    /// True if persons open it.
    package var manual: Bool { if case .approval = probe { true } else { false } }
}

/// How many hosts may be in motion at once.
package struct RolloutLimits: Codable, Sendable, Hashable {
    /// Hosts between the order to migrate and confirmation, at most; at least 1.
    package var parallelMax: Int
    /// Hosts of the rollout that may be unavailable at once (migrating, verifying, rolling back,
    /// failed and not yet back, unreachable); at least 1.
    package var unavailableMax: Int
    /// The same within one failure domain; nil without domains.
    package var unavailablePerDomainMax: Int?
    /// The longest that preparing and validating one host may take.
    package var stageDeadline: Milliseconds
    /// The longest that migrating and verifying one host may take.
    package var migrationDeadline: Milliseconds
    /// How long a host may be unreachable in the middle before it counts.
    package var unreachableAfter: Milliseconds
    /// Limits of these fields.
    package init(
        parallelMax: Int, unavailableMax: Int, unavailablePerDomainMax: Int?,
        stageDeadline: Milliseconds, migrationDeadline: Milliseconds,
        unreachableAfter: Milliseconds
    ) {
        self.parallelMax = parallelMax
        self.unavailableMax = unavailableMax
        self.unavailablePerDomainMax = unavailablePerDomainMax
        self.stageDeadline = stageDeadline
        self.migrationDeadline = migrationDeadline
        self.unreachableAfter = unreachableAfter
    }
}

/// How many hosts may go wrong, cumulative over the rollout, at all scopes at the same time.
/// A scope is spent once *more* hosts than its number went wrong.
package struct FailureBudget: Codable, Sendable, Hashable {
    /// In the whole rollout.
    package var fleet: Int
    /// In each wave; nil means no limit of its own.
    package var wave: Int?
    /// In each failure domain; nil means no limit of its own.
    package var domain: Int?
    /// What `fleet` was made of; nil if the plan writes a count.
    package var fleetShare: BudgetShare?
    /// What `wave` was made of.
    package var waveShare: BudgetShare?
    /// What `domain` was made of.
    package var domainShare: BudgetShare?
    /// A budget of these numbers.
    package init(fleet: Int, wave: Int?, domain: Int?) {
        self.fleet = fleet
        self.wave = wave
        self.domain = domain
    }
}

/// A percentage of a number of hosts, rounded down.
package struct BudgetShare: Codable, Sendable, Hashable {
    /// As the plan writes it.
    package var percent: Int
    /// The hosts that it is a share of; for waves and domains those of the smallest.
    package var of: Int
    /// A share.
    package init(percent: Int, of: Int) {
        self.percent = percent
        self.of = of
    }
}

/// What happens once the budget is spent or a gate fails.
package struct RollbackPolicy: Codable, Sendable, Hashable {
    /// What the rollout does by itself.
    package var onExhausted: Reaction
    /// What can be done.
    package enum Reaction: String, Codable, Sendable, Hashable {
        /// Roll back every host of the rollout that was changed, newest first.
        case rollback
        /// Stop and wait for an operator.
        case pause
        /// Stop for good and leave the changed hosts as they are.
        case abort
    }
    /// A policy of this reaction.
    package init(onExhausted: Reaction) { self.onExhausted = onExhausted }
}

/// The work that all hosts share.
package struct PlannedWork: Codable, Sendable, Hashable {
    /// The plan's variables.
    package var variables: [String: String]
    /// The components.
    package var components: [ComponentSpec]
    /// The stages.
    package var stages: [StageSpec]
    /// See `HostPlan.confirmWithin`.
    package var confirmWithin: Milliseconds
    /// See `HostPlan.coordinatorLost`.
    package var coordinatorLost: CoordinatorLost
    /// Work of these fields.
    package init(
        variables: [String: String], components: [ComponentSpec], stages: [StageSpec],
        confirmWithin: Milliseconds, coordinatorLost: CoordinatorLost
    ) {
        self.variables = variables
        self.components = components
        self.stages = stages
        self.confirmWithin = confirmWithin
        self.coordinatorLost = coordinatorLost
    }
}
