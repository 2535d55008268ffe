import FleetWire

/// How far the plan can be taken back.
extension PlanChecker {
    mutating func checkReturning(_ path: PlanPath) {
        let rollback = path["rollback"]
        if let span = plan.returning.quarantineFor {
            checkSpan(span, atLeast: 1000, rollback["quarantine_for"])
        }
        if let rule = plan.returning.pointOfNoReturn {
            checkApproval(rule, rollback["point_of_no_return"])
            if plan.irreversibleSteps.isEmpty {
                error(
                    rollback["point_of_no_return"],
                    "no step is marked `irreversible`; this would guard nothing", atKey: true)
            }
        }
        for (name, others) in plan.returning.compatibleWith.sorted(by: { $0.key < $1.key }) {
            checkCompatible(name, others, path["components"][name])
        }
    }

    private mutating func checkCompatible(
        _ name: String, _ others: [ComponentName], _ path: PlanPath
    ) {
        let known = plan.components.map(\.name.rawValue)
        if !known.contains(name) {
            error(path, "the plan has no component `\(name)`", atKey: true)
        }
        var seen: Set<ComponentName> = []
        for (index, other) in others.enumerated() {
            let here = path["compatible_with"][index]
            if other.rawValue == name {
                error(here, "a component is compatible with itself; name the others")
            } else if !known.contains(other.rawValue) {
                let hint = NearestName.hint(other.rawValue, among: known)
                error(
                    here,
                    "the plan has no component `\(other)`"
                        + (hint.isEmpty ? "; it has " + Self.listed(known) : hint))
            } else if !seen.insert(other).inserted {
                error(here, "component `\(other)` is named twice")
            }
        }
    }

    /// The gate of the point of no return stands before the first wave: what runs earlier would
    /// pass it unasked.
    mutating func checkIrreversible(_ step: StepSpec, _ stage: Stage, _ path: PlanPath) {
        switch stage {
        case .preparation, .validation:
            error(
                path,
                "\(stage.rawValue) runs before the gate of the point of no return; an irreversible "
                    + "step belongs to migration, verification or finalization", atKey: true)
        case .migration, .verification, .finalization:
            guard plan.returning.pointOfNoReturn == nil else { return }
            error(
                path,
                "step `\(step.name)` cannot be taken back; the plan needs "
                    + "`rollback: {point_of_no_return: {persons: 1}}`, who lets hosts pass it",
                atKey: true)
        }
    }
}

extension Plan {
    /// Names of the steps that cannot be taken back, in order.
    var irreversibleSteps: [String] { stages.irreversibleSteps }
}

extension ResolvedPlan {
    /// Names of the steps that cannot be taken back, in order.
    package var irreversibleSteps: [String] { work.stages.irreversibleSteps }

    /// True if a host that was migrated and verified can come back.
    package var canComeBack: Bool {
        work.stages.filter { $0.stage != .finalization }.irreversibleSteps.isEmpty
    }
}

extension [StageSpec] {
    fileprivate var irreversibleSteps: [String] {
        flatMap(\.steps).filter(\.irreversible).map(\.name)
    }
}
