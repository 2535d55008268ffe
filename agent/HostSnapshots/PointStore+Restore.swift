package import FleetWire
import Glibc

extension PointStore {
    /// Gives `components` (all if nil) of the point back exactly as they were captured.
    ///
    /// What differs is found, space and rights are checked, and all that is needed is written beside
    /// and verified before the first change. If a component with `restart` or a database differs,
    /// the point's services are stopped only then, and brought to their captured state last. It may
    /// be interrupted anywhere and run again. `progress` is called at a bounded rate. Throws
    /// `PointError`, also if the state afterwards is not the captured one.
    package func restore(
        point id: PointID, components: Set<ComponentName>? = nil,
        progress: @escaping (PointProgress) -> Void = { _ in }
    ) throws -> RestoreSummary {
        try locked("restore.lock") {
            let begun = ContinuousClock.now
            let (manifest, _) = try manifest(id)
            let job = try job(manifest, components, RestoreReport(progress, watch))
            // The store may have been moved, or a file system mounted, since the capture.
            let place = try StorePlace(files, job.reader.root)
            for part in job.parts where part.isChosen {
                try place.refuse(part.component.spec, "restore")
            }
            let run = RestoreRun(job, services, beforeChange)
            let (changed, removed) = try run.carryOut()
            try noteRestored(job.parts.filter(\.isChosen).map(\.component))
            let took = begun.duration(to: .now).components
            return RestoreSummary(
                changed: changed, removed: removed,
                took: Milliseconds(
                    took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000))
        }
    }

    /// What of a point is looked at, `chosen` or all.
    func job(
        _ manifest: Manifest, _ chosen: Set<ComponentName>?, _ report: RestoreReport
    ) throws -> RestoreJob {
        let names = Set(manifest.components.map(\.spec.name))
        if let missing = chosen?.subtracting(names).sorted().first {
            throw PointError(
                "restore", "component \(missing)", "point \(manifest.id) does not hold it",
                "name one of \(names.sorted().map(\.rawValue).joined(separator: ", "))")
        }
        let objects = try objects(of: manifest)
        let reader = try reader(HashingSink(), index())
        return RestoreJob(
            reader: reader, objects: objects,
            parts: try manifest.components.map { component in
                var own: [Entry] = []
                if reader.host.driver(of: component.spec) != nil {
                    try CatalogueReader(component, objects).forEach { entry in
                        if !entry.kind.isOfTree { own.append(entry) }
                    }
                }
                return RestoreJob.Part(
                    component: component,
                    isChosen: chosen?.contains(component.spec.name) ?? true, own: own)
            }, report: report)
    }
}
