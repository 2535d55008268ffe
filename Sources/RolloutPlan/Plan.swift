package import FleetWire

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
    /// A plan of these fields.
    package init(
        name: String, description: String?, targets: Targets, variables: [String: String],
        artifacts: [ArtifactRef], components: [ComponentSpec], strategy: Strategy, budget: Budget,
        rollback: RollbackPolicy, confirmWithin: Milliseconds, coordinatorLost: CoordinatorLost,
        needsApproval: Bool, deadlines: Deadlines, stages: [StageSpec]
    ) {
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
        /// A strategy of these fields.
        package init(
            waves: [Wave], parallelMax: Count, unavailableMax: Count, domain: String?,
            unavailablePerDomainMax: Count?
        ) {
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
        /// A wave of these fields.
        package init(
            name: String, size: Count?, selector: String?, hosts: [HostID], soak: Milliseconds,
            gates: [ResolvedGate]
        ) {
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
