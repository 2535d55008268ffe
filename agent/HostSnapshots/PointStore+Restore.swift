package import FleetWire
import Glibc

extension PointStore {
    /// Gives `components` (all if nil) of the point back exactly as they were captured.
    ///
    /// What differs is found, every object that is needed is read and checked, and space is checked
    /// before the first change. If a component with `restart` or a database differs, the point's
    /// services are stopped first and brought to their captured state last. It may be interrupted
    /// anywhere and run again. Throws `PointError`, also if the state afterwards is not the captured.
    package func restore(
        point id: PointID, components: Set<ComponentName>? = nil,
        progress: (RestoreProgress) -> Void = { _ in }
    ) throws -> RestoreSummary {
        try locked("restore.lock") {
            let begun = ContinuousClock.now
            let (manifest, _) = try manifest(id)
            let job = try job(manifest, components)
            var plans = try job.plans(tolerant: true)
            try job.check(plans)
            var drivers = job.drivers()
            try drivers.check()
            let serviceStates = job.serviceStates()
            let mustStop = job.mustStop(plans) || drivers.mustStop
            if mustStop {
                plans = try stopAndPlanAgain(serviceStates, job)
                drivers.lookAgain()
            }
            var changed: [DriverChange] = []
            do {
                changed += try drivers.carryOut(.beforeFiles, beforeChange: beforeChange)
                if !changed.isEmpty {
                    plans = try job.plans(tolerant: false)
                    try job.check(plans)
                }
                try carryOut(plans, job, progress)
                changed += try drivers.carryOut(.afterFiles, beforeChange: beforeChange)
                try job.verify()
                try drivers.verify([.beforeFiles, .afterFiles])
            } catch {
                throw mustStop ? Self.saying(whatIsStopped: serviceStates, error) : error
            }
            // An interrupted run may have left them stopped, even if nothing differs any more.
            // Units are read and enabled first: what was masked since could not be started.
            changed += try drivers.carryOut(.last, beforeChange: beforeChange)
            let concernsServices = job.concernsServices || drivers.concernsServices
            try bring(serviceStates.filter { concernsServices || $0.isChosen })
            try drivers.verify([.last])
            let took = begun.duration(to: .now).components
            return RestoreSummary(
                changed: plans.reduce(changed.count) { $0 + $1.changes.count },
                removed: plans.reduce(0) { $0 + $1.removals.count },
                took: Milliseconds(
                    took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000))
        }
    }

    /// Services may have written until they stopped, so what differs is found again. If it cannot
    /// be, nothing has changed yet and those that ran are started again.
    private func stopAndPlanAgain(
        _ states: [RestoreJob.ServiceState], _ job: RestoreJob
    ) throws -> [RestorePlan] {
        var stopped: [ServiceControl] = []
        do {
            for service in states where try services.isActive(service.control) {
                try beforeChange("stop \(service.name)")
                stopped.append(service.control)
                try services.stop(service.control)
            }
            let plans = try job.plans(tolerant: false)
            try job.check(plans)
            return plans
        } catch {
            for control in stopped.reversed() { try? services.start(control) }
            throw error
        }
    }

    private func carryOut(
        _ plans: [RestorePlan], _ job: RestoreJob, _ progress: (RestoreProgress) -> Void
    ) throws {
        func gain(_ plan: RestorePlan) -> Int64 {
            Int64(clamping: plan.freed) - Int64(clamping: plan.needed)
        }
        let ordered = plans.filter { $0.total > 0 }.sorted { gain($0) > gain($1) }
        let totals = Dictionary(
            ordered.map { ($0.component, $0.total) }, uniquingKeysWith: { first, _ in first })
        var done: [ComponentName: Int] = [:]
        let restorer = TreeRestorer(
            root: job.reader.root, objects: job.objects, beforeChange: beforeChange)
        try restorer.carryOut(ordered) { component, path in
            done[component, default: 0] += 1
            progress(
                RestoreProgress(
                    component: component, done: done[component] ?? 0,
                    total: totals[component] ?? 0, path: printable(path)))
        }
    }

    /// Files that are half restored must not be served, so the services stay stopped: the error has
    /// to say it.
    private static func saying(
        whatIsStopped states: [RestoreJob.ServiceState], _ error: any Error
    ) -> any Error {
        let names = states.filter(\.wasActive).map(\.name.rawValue)
        guard let failure = error as? PointError, !names.isEmpty else { return error }
        return PointError(
            failure.attempt, failure.subject,
            "\(failure.cause) (it is half restored, so \(names.joined(separator: ", ")) stayed "
                + "stopped)", failure.remedy)
    }

    /// Brings all that can be brought, then throws why the first could not be.
    private func bring(_ states: [RestoreJob.ServiceState]) throws {
        var failure: (any Error)?
        for service in states {
            do { try bring(service) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func bring(_ service: RestoreJob.ServiceState) throws {
        let isActive = try services.isActive(service.control)
        if isActive != service.wasActive {
            try beforeChange("\(service.wasActive ? "start" : "stop") \(service.name)")
            if service.wasActive {
                try services.start(service.control)
            } else {
                try services.stop(service.control)
            }
        }
        guard try services.isActive(service.control) == service.wasActive else {
            throw PointError(
                "restore", "service \(service.name)",
                "it \(service.wasActive ? "does not run" : "still runs")",
                "look at its log; its files are restored")
        }
    }

    private func job(_ manifest: Manifest, _ chosen: Set<ComponentName>?) throws -> RestoreJob {
        let names = Set(manifest.components.map(\.spec.name))
        if let missing = chosen?.subtracting(names).sorted().first {
            throw PointError(
                "restore", "component \(missing)", "point \(manifest.id) does not hold it",
                "name one of \(names.sorted().map(\.rawValue).joined(separator: ", "))")
        }
        let objects = try objects(of: manifest)
        return RestoreJob(
            reader: try reader(HashingSink(), index()),
            objects: objects,
            parts: try manifest.components.map { component in
                RestoreJob.Part(
                    component: component, entries: try catalogue(component, objects),
                    isChosen: chosen?.contains(component.spec.name) ?? true)
            })
    }
}
