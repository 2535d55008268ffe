import FleetWire
import Glibc

/// One restore, or its dry run: what the point holds and what of it is wanted.
struct RestoreJob {
    struct Part {
        var component: Manifest.Component
        var isChosen: Bool
        /// The captured entries of its driver; those of trees are streamed.
        var own: [Entry]

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
    let report: RestoreReport

    private var files: [Part] { parts.filter(\.isChosen) }

    /// What drivers restore of the chosen components, held against what is there now.
    func drivers() -> DriverRestore { DriverRestore(files, reader.host, objects) }

    /// One plan for each chosen component, of its trees.
    func plans(tolerant: Bool) throws -> [RestorePlan] {
        try files.map { part in
            let name = part.component.spec.name
            self.report.begin(.checking, name, entries: part.component.entries)
            defer { self.report.end() }
            return try plan(part.component, tolerant: tolerant)
        }
    }

    /// What must be done to one component; `report` is given each difference. If it is checked,
    /// this throws where something is known to keep a restore from being carried out.
    func plan(
        _ component: Manifest.Component, tolerant: Bool, trusting: TrustedFiles = .none,
        isChecked: Bool = true, report: PlanBuilder.Report? = nil
    ) throws -> RestorePlan {
        let spec = component.spec
        let roots = try self.roots(of: spec)
        let builder = PlanBuilder(
            component: spec.name, roots: roots, isChecked: isChecked, report: report)
        let merge = EntryMerge(
            CatalogueReader(component, objects), isNested: builder.isNested, visit: builder.visit)
        if case .sqlite(let path) = spec.driver {
            builder.plan.isDatabase = true
            try merge.push(try database(path, spec))
        } else if let walk = try reader.walk(of: spec) {
            let found = ComparingWalk(
                merge, builder, ContentReader(sink: reader.sink, isTolerant: tolerant),
                trusting: trusting, self.report)
            try reader.walk(walk, reader.index?.cursor(walk.key), found) {
                builder.plan.leftovers.append($0)
            }
        }
        try merge.finish()
        builder.finish()
        builder.plan.leftovers += try leftovers(beside: roots)
        return builder.plan
    }

    /// What an interrupted restore left beside a component's own paths, which no walk sees.
    private func leftovers(beside roots: [[UInt8]]) throws -> [[UInt8]] {
        try roots.map(reader.root.beside.path).filter { path in
            guard let (parent, name) = try reader.root.parent(of: path) else { return false }
            return try parent.status(of: name) != nil
        }
    }

    /// The component's paths, as catalogues have them.
    func roots(of spec: ComponentSpec) throws -> [[UInt8]] {
        if case .sqlite(let path) = spec.driver { return [try HostRoot.whole(Array(path.utf8))] }
        return try reader.walk(of: spec)?.paths ?? []
    }

    /// A database that cannot be backed up any more is one that differs.
    private func database(_ path: String, _ spec: ComponentSpec) throws -> Entry {
        do {
            return try reader.trees(of: spec)[0]
        } catch {
            let bytes = Array(path.utf8)
            guard let (parent, name) = try reader.root.parent(of: bytes),
                let found = try parent.status(of: name)
            else { return Entry(kind: .absent, path: bytes) }
            return Entry(kind: try TreeWalker.kind(of: found, bytes), path: bytes)
        }
    }

    /// Reads every object that `plans` need, each once.
    func readObjects(of plans: [RestorePlan]) throws {
        var good: Set<ObjectID> = [.zeros]
        for plan in plans {
            try plan.changes.forEach { entry, action in
                guard action != .repair else { return }
                for chunk in entry.chunks where good.insert(chunk).inserted {
                    _ = try objects.read(chunk)
                }
            }
        }
    }

    func mustStop(_ plans: [RestorePlan]) -> Bool {
        let differing = Set(plans.filter(\.differs).map(\.component))
        return files.contains { $0.needsStop && differing.contains($0.component.spec.name) }
    }

    /// True if a component is restored around which services must stop.
    var concernsServices: Bool { files.contains(where: \.needsStop) }

    func serviceStates() -> [ServiceState] {
        parts.compactMap { part in
            guard case .service(let control) = part.component.spec.driver else { return nil }
            return ServiceState(
                name: part.component.spec.name, control: control,
                wasActive: ServiceDriver.State(part.own)?.isActive ?? false,
                isChosen: part.isChosen)
        }
    }

    /// Reads all that was restored again and holds it against the capture.
    func verify(_ trusting: TrustedFiles) throws {
        for part in files {
            let name = part.component.spec.name
            self.report.begin(.verifying, name, entries: part.component.entries)
            defer { self.report.end() }
            var first: PointChange?
            let plan = try plan(part.component, tolerant: false, trusting: trusting) {
                if first == nil { first = PointChange(name, $0, from: $1, to: $2) }
            }
            guard plan.differs else { continue }
            throw PointError(
                "verify", "component \(name)",
                "after the restore its state is not the captured one, first at "
                    + "\(first?.path ?? "?") (\(first?.detail ?? ""))",
                "stop what writes there and restore again")
        }
    }
}
