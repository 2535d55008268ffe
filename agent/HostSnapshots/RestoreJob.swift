import FleetWire
import Glibc

/// One restore: what the point holds and what of it is wanted.
struct RestoreJob {
    struct Part {
        var component: Manifest.Component
        var entries: [Entry]
        var isChosen: Bool

        /// True if the plan's services stop around a restore of its files.
        var needsStop: Bool {
            switch component.spec.driver {
            case .sqlite: true
            // A unit that changed is loaded anew, and what runs by the old one must not go on.
            case .service(let control): control.unit != nil || component.spec.restart
            case .files, .config, .flags, .package, .postgres, .btrfs, .command, .unknown:
                component.spec.restart
            }
        }
    }
    struct ServiceState {
        var name: ComponentName
        var control: ServiceControl
        var wasActive: Bool
        var isChosen: Bool
    }

    let reader: ComponentReader
    let objects: ObjectReader
    let parts: [Part]

    private var files: [Part] { parts.filter(\.isChosen) }

    /// What drivers restore of the chosen components, held against what is there now.
    func drivers() -> DriverRestore { DriverRestore(files, reader.host, objects) }

    /// One plan for each chosen component, of its trees.
    func plans(tolerant: Bool) throws -> [RestorePlan] {
        var reader = reader
        reader.tolerant = tolerant
        return try files.map { part in
            let spec = part.component.spec
            var present: [Entry]
            if case .sqlite(let path) = spec.driver {
                present = try database(path, reader, spec)
            } else {
                present = try reader.trees(of: spec)
            }
            let wanted = part.entries.filter(\.kind.isOfTree)
            if present.map(\.path) == wanted.map(\.path),
                Catalogue.state(of: present) == Catalogue.state(of: wanted)
            {
                present = wanted
            }
            var plan = try RestorePlan(component: spec.name, wanted: wanted, present: present)
            if case .sqlite = spec.driver { plan.isDatabase = true }
            return plan
        }
    }

    /// A database that cannot be backed up any more is one that differs.
    private func database(
        _ path: String, _ reader: ComponentReader, _ spec: ComponentSpec
    ) throws -> [Entry] {
        do {
            return try reader.entries(of: spec)
        } catch {
            let bytes = Array(path.utf8)
            guard let (parent, name) = try reader.root.parent(of: bytes),
                let found = try parent.status(of: name)
            else { return [Entry(kind: .absent, path: bytes)] }
            return [Entry(kind: try TreeWalker.kind(of: found, bytes), path: bytes)]
        }
    }

    /// All that can be known to fail before anything changes.
    func check(_ plans: [RestorePlan]) throws {
        var room: [dev_t: (needed: UInt64, freed: UInt64, place: Descriptor)] = [:]
        for plan in plans {
            for object in plan.objects { _ = try objects.read(object) }
            guard let path = plan.changes.first?.path ?? plan.removals.first else { continue }
            let place = try self.place(of: path)
            let device = try place.status().st_dev
            let sum = room[device] ?? (0, 0, place)
            room[device] = (sum.needed + plan.needed, sum.freed + plan.freed, sum.place)
        }
        for (needed, freed, place) in room.values where needed > 0 {
            try checkSpace(needed, freed, place, plans)
        }
    }

    /// What one component takes, another one may free: a failed step that filled the disk must not
    /// keep the host from coming back. `carryOut` begins with those that free most.
    private func checkSpace(
        _ needed: UInt64, _ freed: UInt64, _ place: Descriptor, _ plans: [RestorePlan]
    ) throws {
        let names = plans.filter { $0.needed > 0 }.map { "\($0.component)" }
            .joined(separator: ", ")
        var room = statvfs()
        guard place.calls.fstatvfs(place.raw, &room) == 0 else {
            throw PointError.system("look at the space for", Array(names.utf8), errno)
        }
        let free = UInt64(room.f_bavail) * UInt64(room.f_frsize)
        guard free + freed >= needed + SnapshotLimits.spareBytes else {
            throw PointError(
                "restore", "component \(names)",
                "it may take \(needed) bytes, \(free) are free and it frees \(freed)",
                "free \(needed + SnapshotLimits.spareBytes - free - freed) bytes there")
        }
    }

    /// The nearest directory above `path` that is there.
    private func place(of path: [UInt8]) throws -> Descriptor {
        var names = try HostRoot.names(of: path)
        while !names.isEmpty {
            let path = names.flatMap { [UInt8(ascii: "/")] + $0 }
            if let (parent, _) = try reader.root.parent(of: path) { return parent }
            names.removeLast()
        }
        return reader.root.directory
    }

    func mustStop(_ plans: [RestorePlan]) -> Bool {
        let differing = Set(plans.filter { $0.total > 0 }.map(\.component))
        return files.contains { $0.needsStop && differing.contains($0.component.spec.name) }
    }

    /// True if a component is restored around which services must stop.
    var concernsServices: Bool { files.contains(where: \.needsStop) }

    func serviceStates() -> [ServiceState] {
        parts.compactMap { part in
            guard case .service(let control) = part.component.spec.driver else { return nil }
            return ServiceState(
                name: part.component.spec.name, control: control,
                wasActive: ServiceDriver.State(part.entries)?.isActive ?? false,
                isChosen: part.isChosen)
        }
    }

    /// Reads all that was restored again and holds it against the capture.
    func verify() throws {
        for part in files {
            let spec = part.component.spec
            let wanted = part.entries.filter(\.kind.isOfTree)
            let present = Catalogue.state(of: try reader.trees(of: spec))
            guard present == Catalogue.state(of: wanted) else {
                throw PointError(
                    "verify", "component \(spec.name)",
                    "after the restore its state is not the captured one",
                    "stop what writes there and restore again")
            }
        }
    }
}
