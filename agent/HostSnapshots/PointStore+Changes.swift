package import FleetWire

extension PointStore {
    /// What a restore of `components` (all if nil) of the point would change now, in the order of
    /// the catalogues; nothing is changed. A thing that is removed is listed with all it holds.
    ///
    /// Files that the index knows are not read. Throws `PointError` if the point is damaged or what
    /// is there cannot be read.
    package func changes(
        point id: PointID, components: Set<ComponentName>? = nil
    ) throws -> [PointChange] {
        try changes(point: id, components, isReversed: false)
    }

    private func changes(
        point id: PointID, _ components: Set<ComponentName>?, isReversed: Bool
    ) throws -> [PointChange] {
        let (manifest, _) = try manifest(id)
        let job = try job(manifest, components, RestoreReport { _ in })
        var list: [PointChange] = []
        for part in job.parts where part.isChosen {
            let name = part.component.spec.name
            _ = try job.plan(part.component, tolerant: true, isChecked: false) {
                list.append(
                    isReversed
                        ? PointChange(name, $0.reversed, from: $2, to: $1)
                        : PointChange(name, $0, from: $1, to: $2))
            }
        }
        return list
    }

    /// What differs on the way from the point `from` to the point `to`, or to what is there now.
    ///
    /// A component that only one of the two points holds is added or removed as a whole, with one
    /// change at its name. Throws `PointError` if a point is damaged or what is there cannot be read.
    package func difference(_ from: PointID, _ to: PointID?) throws -> [PointChange] {
        guard let to else { return try changes(point: from, nil, isReversed: true) }
        let (old, _) = try manifest(from)
        let (new, _) = try manifest(to)
        let report = RestoreReport { _ in }
        let (before, after) = (try job(old, nil, report), try job(new, nil, report))
        var list: [PointChange] = []
        for part in before.parts {
            let name = part.component.spec.name
            if let other = after.parts.first(where: { $0.component.spec.name == name }) {
                list += try Self.changes(part.component, before, other.component, after)
            } else {
                list.append(
                    PointChange(component: name, path: name.rawValue, change: .removed, detail: ""))
            }
        }
        let known = Set(before.parts.map(\.component.spec.name))
        for part in after.parts where !known.contains(part.component.spec.name) {
            let name = part.component.spec.name
            list.append(
                PointChange(component: name, path: name.rawValue, change: .added, detail: ""))
        }
        return list
    }

    /// What a restore to `new` would change where `old` is what is there.
    private static func changes(
        _ old: Manifest.Component, _ before: RestoreJob, _ new: Manifest.Component,
        _ after: RestoreJob
    ) throws -> [PointChange] {
        if old.state == new.state, old.catalogue == new.catalogue { return [] }
        var list: [PointChange] = []
        let builder = PlanBuilder(
            component: new.spec.name, roots: try RestoreJob.roots(of: new.spec), isChecked: false
        ) { list.append(PointChange(new.spec.name, $0, from: $1, to: $2)) }
        let merge = EntryMerge(
            CatalogueReader(new, after.objects), isNested: builder.isNested,
            visit: builder.visit)
        let present = CatalogueReader(old, before.objects)
        while try present.step() { try present.withHead(merge.push) }
        try merge.finish()
        return list
    }
}
