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
            let report: PlanBuilder.Report = {
                list.append(
                    isReversed
                        ? PointChange(name, $0.reversed, from: $2, to: $1)
                        : PointChange(name, $0, from: $1, to: $2))
            }
            _ = try job.plan(part.component, tolerant: true, isChecked: false, report: report)
            guard let driver = job.reader.host.driver(of: part.component.spec) else { continue }
            // What cannot be read counts as different, as in a restore.
            let present = try? driver.entries(against: part.own)
            Self.compare(present ?? [], part.own, report)
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
                list += try Self.changes(part, before, other, after)
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
        _ old: RestoreJob.Part, _ before: RestoreJob, _ new: RestoreJob.Part, _ after: RestoreJob
    ) throws -> [PointChange] {
        if old.component.state == new.component.state { return [] }
        let spec = new.component.spec
        var list: [PointChange] = []
        let report: PlanBuilder.Report = {
            list.append(PointChange(spec.name, $0, from: $1, to: $2))
        }
        let builder = PlanBuilder(
            component: spec.name, roots: try after.roots(of: spec), isChecked: false,
            report: report)
        let merge = EntryMerge(
            CatalogueReader(new.component, after.objects), isNested: builder.isNested,
            visit: builder.visit)
        let present = CatalogueReader(old.component, before.objects)
        while try present.step() {
            try present.withHead { entry in
                if EntryView(entry).kind?.isOfTree == true { try merge.push(entry) }
            }
        }
        try merge.finish()
        compare(old.own, new.own, report)
        return list
    }

    /// The entries of a driver, whose order is its own.
    private static func compare(
        _ present: [Entry], _ wanted: [Entry], _ report: PlanBuilder.Report
    ) {
        for new in wanted {
            let old = present.first { $0.path == new.path && $0.kind == new.kind }
            guard let form = new.stateForm, old?.stateForm != form else { continue }
            report(old == nil ? .added : .content, old, new)
        }
        for old in present where old.stateForm != nil {
            guard !(wanted.contains { $0.path == old.path && $0.kind == old.kind }) else {
                continue
            }
            report(.removed, old, nil)
        }
    }
}
