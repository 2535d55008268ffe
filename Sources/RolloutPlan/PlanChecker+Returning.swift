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

    /// Agents do not know the mark yet: a host that fails after such a step, or is not confirmed
    /// in time, restores its point as after any other.
    mutating func checkIrreversible(_ step: StepSpec, _ path: PlanPath) {
        error(
            path,
            "`irreversible` is not available yet: if the host failed after step `\(step.name)`, or "
                + "was not confirmed in time, its agent would still take the host back; run this "
                + "outside of the plan, once the rollout succeeded", atKey: true)
    }
}

extension Plan {
    /// Names of the steps that cannot be taken back, in order.
    var irreversibleSteps: [String] {
        stages.flatMap(\.steps).filter(\.irreversible).map(\.name)
    }
}
