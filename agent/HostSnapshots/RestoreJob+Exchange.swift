import FleetWire
import Glibc

extension RestoreJob {
    /// The plans, those of trees that are nearly all different changed so that the whole tree is
    /// built beside and exchanged in one step: its switch is then one moment, and costs less.
    ///
    /// That needs space for all of it, and that nothing must stay which another tree in its place
    /// would not have: what is excluded, sockets, mounts, other components, processes that work in
    /// it, mounts of it elsewhere.
    func exchanging(_ plans: [RestorePlan]) throws -> [RestorePlan] {
        var result = plans
        for (index, plan) in plans.enumerated() where plan.isNearlyAllDifferent {
            guard let part = parts.first(where: { $0.component.spec.name == plan.component }),
                try mayBeExchanged(plan, part.component.spec, plans)
            else { continue }
            var changed = result
            changed[index] = try exchange(of: plan, part.component)
            if (try? RestoreRoom(changed, reader.root, objects))?.fitsBeside == true {
                result = changed
            }
        }
        return result
    }

    private func mayBeExchanged(
        _ plan: RestorePlan, _ spec: ComponentSpec, _ plans: [RestorePlan]
    ) throws -> Bool {
        guard plan.rooms.count == 1, let path = plan.rooms.first?.root else { return false }
        if case .files(_, let exclude, _) = spec.driver, !exclude.isEmpty { return false }
        for other in plans where other.component != plan.component {
            if other.rooms.contains(where: { $0.root == path || $0.root.isBelow(path) }) {
                return false
            }
        }
        guard let (parent, name) = try reader.root.parent(of: path),
            let tree = parent.open(name, O_RDONLY | O_DIRECTORY)
        else { return false }
        let (above, found) = (try parent.status(), try tree.status())
        guard above.st_dev == found.st_dev, geteuid() == 0 || above.st_uid == geteuid() else {
            return false
        }
        return withExtendedLifetime(tree) { !TreeUse().isHeld(tree) }
    }

    private func exchange(
        of plan: RestorePlan, _ component: Manifest.Component
    ) throws -> RestorePlan {
        let builder = PlanBuilder(
            component: plan.component, roots: plan.rooms.map(\.root), isChecked: false)
        try CatalogueReader(component, objects).forEach(builder.makeAnew)
        var whole = builder.plan
        whole.leftovers = plan.leftovers
        whole.summary = (plan.changed, plan.removed)
        return whole
    }
}
