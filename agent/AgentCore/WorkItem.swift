import FleetWire

/// One piece of an order's work; an order is a list of them.
enum WorkItem: Hashable {
    case artifact(ArtifactRef)
    case space(Stage)
    case step(Stage, Int, StepSpec)
    case checks(Stage, [CheckSpec])
    /// The rollback point before a stage that may change the host.
    case capture(Stage)
    case arm
    /// The guard lets go before a step of this stage that cannot be taken back.
    case disarm(Stage)

    /// The stage under which a failure is reported.
    var stage: Stage {
        switch self {
        case .artifact: .preparation
        case .space(let stage), .step(let stage, _, _), .checks(let stage, _),
            .capture(let stage), .disarm(let stage):
            stage
        case .arm: .migration
        }
    }

    /// True if the host may differ from its captured state once this has begun.
    var mutates: Bool {
        switch self {
        case .step(let stage, _, _), .checks(let stage, _):
            stage == .migration || stage == .verification
        case .artifact, .space, .capture, .arm, .disarm: false
        }
    }
}

extension HostPlan {
    /// The work of an order, in order; empty for verbs that have none.
    func items(for verb: OrderVerb) -> [WorkItem] {
        switch verb {
        case .prepare:
            artifacts.map(WorkItem.artifact) + [.space(.preparation)] + point(before: .preparation)
                + work(.preparation)
        case .validate: work(.validation)
        case .migrate:
            // What was fetched in preparation may have been damaged or pruned since.
            artifacts.map(WorkItem.artifact) + work(.validation)
                + [.space(.migration), .capture(.migration), .arm]
                + disarming(work(.migration) + work(.verification))
        case .commit: point(before: .finalization) + work(.finalization)
        case .confirm, .rollback, .release: []
        }
    }

    /// The point before a stage that is not migration: listed and restorable like any, while a
    /// rollback of the rollout goes to the one before migration. Waiting changes nothing.
    private func point(before stage: Stage) -> [WorkItem] {
        let mutates = self.stage(stage).steps.contains {
            if case .wait = $0.action { false } else { true }
        }
        return mutates && !components.isEmpty ? [.capture(stage)] : []
    }

    private func work(_ stage: Stage) -> [WorkItem] {
        let spec = self.stage(stage)
        let steps = spec.steps.enumerated().map { WorkItem.step(stage, $0.offset, $0.element) }
        return spec.checks.isEmpty ? steps : steps + [.checks(stage, spec.checks)]
    }

    /// The longest that migration and verification can take.
    var stepsWithin: Milliseconds {
        var sum = Milliseconds.zero
        for item in work(.migration) + work(.verification) {
            switch item {
            case .step(_, _, let step):
                let tries = Int64(max(1, step.attempts))
                let one = (step.timeout + AgentCoreLimits.stepGrace) + step.retryDelay
                let (all, overflow) = one.count.multipliedReportingOverflow(by: tries)
                sum = sum + Milliseconds(overflow ? .max : all)
            case .checks(_, let checks):
                for check in checks { sum = sum + (check.timeout + AgentCoreLimits.stepGrace) }
            case .artifact, .space, .capture, .arm, .disarm: break
            }
        }
        return sum
    }

    /// The plan without what a guard or a finished transaction has no use for.
    func keeping(_ kept: Set<Stage>) -> HostPlan {
        var plan = self
        plan.stages = stages.filter { kept.contains($0.stage) }
        plan.artifacts = []
        return plan
    }

    /// Why this agent cannot carry the plan out and what to do, or nil.
    var problem: (reason: String, remedy: String)? {
        if let part = unknownPart {
            return ("\(part), which this agent does not know", "update the agent")
        }
        if let (stage, step) = misplacedIrreversible {
            return (
                "step \(step.name) is irreversible and stands in \(stage.rawValue), before the host "
                    + "may change", "move it to migration, verification or finalization"
            )
        }
        for stage in stages where stage.checks.count > AgentCoreLimits.checksMax {
            return (
                "stage \(stage.stage.rawValue) has \(stage.checks.count) checks, a host takes "
                    + "\(AgentCoreLimits.checksMax)", "join some of them"
            )
        }
        let names =
            components.map(\.name.rawValue)
            + stages.flatMap { $0.steps.map(\.name) + $0.checks.map(\.name) }
        if let name = names.first(where: { $0.utf8.count > AgentCoreLimits.nameBytesMax }) {
            return (
                "the name \(name.prefix(40))… has more than \(AgentCoreLimits.nameBytesMax) bytes",
                "shorten it"
            )
        }
        return nil
    }

    private var unknownPart: String? {
        for component in components {
            if case .unknown(let name) = component.driver {
                return "component \(component.name) has the driver \(name)"
            }
        }
        for stage in stages {
            for step in stage.steps {
                if case .unknown(let name) = step.action {
                    return "step \(step.name) has the action \(name)"
                }
            }
            for check in stage.checks {
                if case .unknown(let name) = check.kind {
                    return "check \(check.name) has the kind \(name)"
                }
            }
        }
        return nil
    }
}
