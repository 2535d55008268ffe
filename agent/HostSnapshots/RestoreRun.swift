import FleetWire

/// The course of one restore: what is written beside before services stop, and what comes after.
final class RestoreRun {
    private let job: RestoreJob
    private let services: any ServiceControlling
    private let beforeChange: RestoreHook?
    private let tree: TreeRestore
    private var plans: [RestorePlan] = []
    /// What stands beside; nil if nothing was written yet.
    private var prepared: [RestorePlan]?
    /// When what was written beside began to get its names, in nanoseconds since 1970.
    private var switched: Int64 = 0
    private var stopped: [ServiceControl] = []
    private var drivers: DriverRestore

    init(
        _ job: RestoreJob, _ services: any ServiceControlling, _ beforeChange: RestoreHook?
    ) {
        self.job = job
        self.services = services
        self.beforeChange = beforeChange
        drivers = job.drivers()
        tree = TreeRestore(
            root: job.reader.root, objects: job.objects, beforeChange: beforeChange)
    }

    /// Gives how many entries were changed and how many were removed.
    func carryOut() throws -> (changed: Int, removed: Int) {
        let states = job.serviceStates()
        var mustStop = false
        do {
            plans = try job.exchanging(job.plans(tolerant: true))
            try drivers.check()
            try write()
            mustStop = job.mustStop(plans) || drivers.mustStop
            if mustStop {
                try stop(states)
                plans = try job.exchanging(job.plans(tolerant: false))
                drivers.lookAgain()
                try write()
            }
        } catch {
            // Nothing has changed yet.
            tree.discard(prepared ?? plans)
            for control in stopped.reversed() { try? services.start(control) }
            throw error
        }
        var changed = 0
        do {
            changed = try change()
        } catch {
            throw mustStop ? Self.saying(whatIsStopped: states, error) : error
        }
        // Units are read and enabled first: what was masked since could not be started.
        changed += try carryOut(.last)
        // An interrupted run may have left them stopped, even if nothing differs any more.
        let concernsServices = job.concernsServices || drivers.concernsServices
        try bring(states.filter { concernsServices || $0.isChosen })
        try drivers.verify([.last])
        return (
            plans.reduce(changed) { $0 + $1.changed }, plans.reduce(0) { $0 + $1.removed }
        )
    }

    /// How many of the drivers' entries of one phase were changed.
    private func carryOut(_ phase: RestorePhase) throws -> Int {
        try drivers.carryOut(phase, beforeChange: beforeChange ?? { _ in }).count
    }

    // MARK: - Files

    /// Writes beside what is needed. Where it does not fit, makes sure only that it can be read.
    private func write() throws {
        let room = try RestoreRoom(plans, job.reader.root, job.objects)
        if room.fitsBeside {
            guard !plans.allSatisfy(\.isEmpty) || prepared != nil else { return }
            let earlier = prepared ?? []
            prepared = plans
            try tree.prepare(plans, after: earlier, job.report)
        } else {
            if let prepared { tree.discard(prepared) }
            prepared = nil
            try job.readObjects(of: plans)
        }
    }

    /// Gives how many of the drivers' entries were changed.
    private func change() throws -> Int {
        try job.report.willChange()
        var changed = try carryOut(.beforeFiles)
        if changed > 0 {
            plans = try job.exchanging(job.plans(tolerant: false))
            try write()
        }
        try changeFiles()
        changed += try carryOut(.afterFiles)
        try job.verify(TrustedFiles(tree.verified, reachableFrom: switched))
        try drivers.verify([.beforeFiles, .afterFiles])
        return changed
    }

    private func changeFiles() throws {
        // A restore that was killed may have done what now needs nothing: it becomes durable too.
        try tree.noteRoots(of: plans)
        if plans.allSatisfy(\.isEmpty) { return try tree.sync() }
        if prepared == nil {
            try tree.makeRoom(plans)
            try tree.prepare(plans, job.report)
        }
        switched = wallClockNanoseconds()
        try tree.commit(plans)
        for plan in plans where plan.count > 0 {
            job.report.finish(
                .restoring, plan.component, entries: plan.count, bytes: plan.needed)
        }
    }

    // MARK: - Services

    /// They may have written until they stopped, so what differs is found again.
    private func stop(_ states: [RestoreJob.ServiceState]) throws {
        for service in states where try services.isActive(service.control) {
            try beforeChange?("stop \(service.name)")
            stopped.append(service.control)
            try services.stop(service.control)
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
            try beforeChange?("\(service.wasActive ? "start" : "stop") \(service.name)")
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
}
