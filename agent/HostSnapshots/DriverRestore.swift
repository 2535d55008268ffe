import FleetWire

/// One of a driver's own entries that differs from what was captured.
struct DriverChange: Equatable {
    var component: ComponentName
    var path: [UInt8]
    /// What differs, for people: `1.2 amd64 install -> 1.3 amd64 install`.
    var detail: String
}

/// The part of a restore, and of its dry run, that drivers carry out: their own entries.
struct DriverRestore {
    private struct Part {
        var component: Manifest.Component
        var driver: any ComponentDriving
        var captured: [Entry]
        var present: [Entry]

        var differs: Bool { present.compactMap(\.stateForm) != captured.compactMap(\.stateForm) }
    }

    private let objects: ObjectReader
    private var parts: [Part]

    /// Looks at what is there now of each chosen component that has a driver. What cannot be read
    /// counts as different.
    init(_ chosen: [RestoreJob.Part], _ host: DriverHost, _ objects: ObjectReader) {
        self.objects = objects
        parts = chosen.compactMap { part in
            guard let driver = host.driver(of: part.component.spec) else { return nil }
            let captured = part.own
            return Part(
                component: part.component, driver: driver, captured: captured,
                present: (try? driver.entries(against: captured)) ?? [])
        }
    }

    /// Looks again at what services may have written until they stopped; they themselves differ
    /// now only because of that.
    mutating func lookAgain() {
        for index in parts.indices where parts[index].driver.phase != .last {
            let part = parts[index]
            parts[index].present = (try? part.driver.entries(against: part.captured)) ?? []
        }
    }

    /// What a restore would change, nothing being changed.
    var changes: [DriverChange] {
        parts.filter(\.differs).flatMap { part in
            part.captured.compactMap { wanted in
                let found = part.present.first { $0.path == wanted.path }
                guard found?.stateForm != wanted.stateForm else { return nil }
                let now = found.map { printable($0.target) } ?? "unreadable"
                return DriverChange(
                    component: part.component.spec.name, path: wanted.path,
                    detail: "\(now) -> \(printable(wanted.target))")
            }
        }
    }

    /// True if something differs whose restore needs the services stopped.
    var mustStop: Bool { parts.contains { $0.differs && $0.driver.needsStop } }

    /// True if services may have been stopped by a restore of the same components.
    var concernsServices: Bool { parts.contains { $0.driver.needsStop } }

    /// All that can be known to fail before anything changes: every object that is needed is read.
    func check() throws {
        for part in parts where part.differs {
            for entry in part.captured {
                for chunk in entry.chunks where chunk != .zeros { _ = try objects.read(chunk) }
            }
            let damage = try part.driver.damage(of: part.captured)
            guard damage.isEmpty else {
                throw PointError.damaged(
                    "component \(part.component.spec.name)", damage.joined(separator: ", "))
            }
            try part.driver.checkRestore(to: part.captured)
        }
    }

    /// Restores what differs of one phase, and all of the last one, which comes after everything
    /// else changed; gives what it changed. Of the rest goes what an interrupted restore left.
    func carryOut(
        _ phase: RestorePhase, beforeChange: (String) throws -> Void
    ) throws -> [DriverChange] {
        let chosen = parts.filter { $0.driver.phase == phase && ($0.differs || phase == .last) }
        let done = changes.filter { change in
            chosen.contains { $0.component.spec.name == change.component }
        }
        for part in chosen {
            try part.driver.restore(
                to: part.captured, from: objects, beforeChange: beforeChange)
        }
        for part in parts where part.driver.phase == phase && !part.differs {
            try part.driver.removeLeftovers(beforeChange: beforeChange)
        }
        return done
    }

    /// Reads all that was restored again and holds it against the capture.
    func verify(_ phases: [RestorePhase]) throws {
        for part in parts where phases.contains(part.driver.phase) {
            let present = try part.driver.entries(against: part.captured)
            guard present.compactMap(\.stateForm) == part.captured.compactMap(\.stateForm) else {
                throw PointError(
                    "verify", "component \(part.component.spec.name)",
                    "after the restore its state is not the captured one",
                    "stop what changes it and restore again")
            }
        }
    }
}

extension PointStore {
    /// Removes what drivers keep outside the store for a point: to be called before its manifest
    /// is removed, so that a prune that is cut off is done again. Throws if something stays. A point
    /// that cannot be read names nothing that could be removed.
    func forget(_ id: PointID) throws {
        let host = try driverHost()
        guard let (manifest, _) = try? self.manifest(id),
            manifest.components.contains(where: { host.driver(of: $0.spec) != nil })
        else { return }
        let objects = try reader(manifest, keys)
        for component in manifest.components {
            guard let driver = host.driver(of: component.spec) else { continue }
            let entries = try points.driverEntries(component, objects)
            try driver.forget(entries)
        }
    }

    /// Removes what drivers keep outside the store for a point that did not come to be. What stays
    /// is removed by the next capture of the component.
    func abandon(_ id: PointID, _ components: [ComponentSpec]) {
        guard let host = try? driverHost() else { return }
        for spec in components { host.driver(of: spec)?.abandon(id) }
    }

    /// What is damaged of that which drivers keep outside the store for a point.
    func driverDamage(_ component: Manifest.Component, _ objects: ObjectReader) throws -> [String] {
        guard let driver = try driverHost().driver(of: component.spec) else { return [] }
        return try driver.damage(of: try points.driverEntries(component, objects))
    }

    func driverHost(_ stop: StopHook = StopHook()) throws -> DriverHost {
        DriverHost(root: try hostRoot(), store: files, services: services, stop: stop)
    }
}
