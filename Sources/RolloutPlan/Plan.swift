package import FleetWire
package import RolloutChecklist

/// A plan as it stands in its YAML file, checked, with the files that it names inlined; what the
/// command line sends to the coordinator (docs/reference/plan.md).
package struct Plan: Codable, Sendable, Hashable {
    /// Its name; stands in rollout ids.
    package var name: String
    /// For people.
    package var description: String?
    /// Which hosts.
    package var targets: Targets
    /// Variables for templates.
    package var variables: [String: String]
    /// Artifacts that steps name.
    package var artifacts: [ArtifactRef]
    /// The components, captured and restored in this order.
    package var components: [ComponentSpec]
    /// Waves, and how many hosts at once.
    package var strategy: Strategy
    /// How many hosts may go wrong.
    package var budget: Budget
    /// What happens when too many went wrong.
    package var rollback: RollbackPolicy
    /// See `HostPlan.confirmWithin`.
    package var confirmWithin: Milliseconds
    /// See `HostPlan.coordinatorLost`.
    package var coordinatorLost: CoordinatorLost
    /// True if somebody must approve before the first host is touched.
    package var needsApproval: Bool
    /// How long things may take.
    package var deadlines: Deadlines
    /// The work by stage.
    package var stages: [StageSpec]
    /// How far it can be taken back.
    package var returning: Returning
    /// What has to be done before any host is changed; nil without a checklist.
    package var checklist: [ChecklistItem]?
    /// A plan of these fields.
    package init(
        name: String, description: String?, targets: Targets, variables: [String: String],
        artifacts: [ArtifactRef], components: [ComponentSpec], strategy: Strategy, budget: Budget,
        rollback: RollbackPolicy, confirmWithin: Milliseconds, coordinatorLost: CoordinatorLost,
        needsApproval: Bool, deadlines: Deadlines, stages: [StageSpec],
        returning: Returning = Returning(), checklist: [ChecklistItem]? = nil
    ) {
        self.returning = returning
        self.checklist = checklist
        self.name = name
        self.description = description
        self.targets = targets
        self.variables = variables
        self.artifacts = artifacts
        self.components = components
        self.strategy = strategy
        self.budget = budget
        self.rollback = rollback
        self.confirmWithin = confirmWithin
        self.coordinatorLost = coordinatorLost
        self.needsApproval = needsApproval
        self.deadlines = deadlines
        self.stages = stages
    }

    /// Which hosts a plan is for; a host that either names is one.
    package struct Targets: Codable, Sendable, Hashable {
        /// A label selector as Kubernetes writes it; nil selects nothing.
        package var selector: String?
        /// Hosts by name.
        package var hosts: [HostID]
        /// Targets of these fields.
        package init(selector: String?, hosts: [HostID]) {
            self.selector = selector
            self.hosts = hosts
        }
    }

    /// The order in which hosts go.
    package struct Strategy: Codable, Sendable, Hashable {
        /// The waves; hosts that none of them takes form a last wave `rest`.
        package var waves: [Wave]
        /// Hosts in migration at once.
        package var parallelMax: Count
        /// Hosts unavailable at once.
        package var unavailableMax: Count
        /// The label that names a host's failure domain.
        package var domain: String?
        /// Hosts unavailable at once within one domain.
        package var unavailablePerDomainMax: Count?
        /// How it moves in time.
        package var pace: RolloutPace
        /// Hosts that are away.
        package var absence: AbsencePolicy
        /// A strategy of these fields.
        package init(
            waves: [Wave], parallelMax: Count, unavailableMax: Count, domain: String?,
            unavailablePerDomainMax: Count?, pace: RolloutPace = RolloutPace(),
            absence: AbsencePolicy = AbsencePolicy()
        ) {
            self.pace = pace
            self.absence = absence
            self.waves = waves
            self.parallelMax = parallelMax
            self.unavailableMax = unavailableMax
            self.domain = domain
            self.unavailablePerDomainMax = unavailablePerDomainMax
        }
    }

    /// One wave.
    package struct Wave: Codable, Sendable, Hashable {
        /// Unique within the plan.
        package var name: String
        /// How many of the targets, of those that no earlier wave took; nil takes all that match.
        package var size: Count?
        /// Takes only targets that match; nil takes any.
        package var selector: String?
        /// Takes only these; empty takes any.
        package var hosts: [HostID]
        /// How long it is watched.
        package var soak: Milliseconds
        /// What must hold after the soak.
        package var gates: [ResolvedGate]
        /// Facts and labels whose values its hosts are chosen to cover; nil covers what
        /// `WaveCover.defaultNames` says if it is the first wave and has a size.
        package var cover: [String]?
        /// How many of its hosts go at first.
        package var growth: WaveGrowth?
        /// A wave of these fields.
        package init(
            name: String, size: Count?, selector: String?, hosts: [HostID], soak: Milliseconds,
            gates: [ResolvedGate], cover: [String]? = nil, growth: WaveGrowth? = nil
        ) {
            self.cover = cover
            self.growth = growth
            self.name = name
            self.size = size
            self.selector = selector
            self.hosts = hosts
            self.soak = soak
            self.gates = gates
        }
    }

    /// How many hosts may go wrong.
    package struct Budget: Codable, Sendable, Hashable {
        /// In the rollout.
        package var fleet: Count
        /// In each wave.
        package var wave: Count?
        /// In each failure domain.
        package var domain: Count?
        /// A budget of these fields.
        package init(fleet: Count, wave: Count?, domain: Count?) {
            self.fleet = fleet
            self.wave = wave
            self.domain = domain
        }
    }

    /// How far the plan can be taken back; see `ReturnPolicy`.
    package struct Returning: Codable, Sendable, Hashable {
        /// Who opens the gate before the first irreversible step.
        package var pointOfNoReturn: ApprovalRule?
        /// By component's name: the components that work while it alone is at its old state.
        package var compatibleWith: [String: [ComponentName]]
        /// How long the digests of a plan that was rolled back are refused; nil is for good.
        package var quarantineFor: Milliseconds?
        /// Returning of these fields.
        package init(
            pointOfNoReturn: ApprovalRule? = nil, compatibleWith: [String: [ComponentName]] = [:],
            quarantineFor: Milliseconds? = nil
        ) {
            self.pointOfNoReturn = pointOfNoReturn
            self.compatibleWith = compatibleWith
            self.quarantineFor = quarantineFor
        }
    }

    /// See `RolloutLimits`.
    package struct Deadlines: Codable, Sendable, Hashable {
        /// For preparing and validating one host.
        package var stage: Milliseconds
        /// For migrating and verifying one host.
        package var migration: Milliseconds
        /// For a host that is unreachable in the middle.
        package var unreachable: Milliseconds
        /// Deadlines of these fields.
        package init(stage: Milliseconds, migration: Milliseconds, unreachable: Milliseconds) {
            self.stage = stage
            self.migration = migration
            self.unreachable = unreachable
        }
    }
}
