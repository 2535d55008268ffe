import FleetWire
import Glibc

/// One restore, or its dry run: what the point holds and what of it is wanted.
struct RestoreJob {
    struct Part {
        var component: Manifest.Component
        var isChosen: Bool
        /// True if a service that was captured was running.
        var wasActive: Bool

        var isService: Bool {
            if case .service = component.spec.driver { true } else { false }
        }
        var needsStop: Bool {
            if case .sqlite = component.spec.driver { true } else { component.spec.restart }
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

    private var files: [Part] { parts.filter { $0.isChosen && !$0.isService } }

    /// One plan for each chosen component that is not a service.
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
        _ component: Manifest.Component, tolerant: Bool, trusting: TrustedFiles? = nil,
        isChecked: Bool = true, report: PlanBuilder.Report? = nil
    ) throws -> RestorePlan {
        let spec = component.spec
        let roots = try Self.roots(of: spec)
        let builder = PlanBuilder(
            component: spec.name, roots: roots, isChecked: isChecked, report: report)
        let captured = CatalogueReader(component, objects)
        let merge = EntryMerge({ try captured.next() }, visit: builder.visit)
        if case .sqlite(let path) = spec.driver {
            builder.plan.isDatabase = true
            try merge.push(try database(path, spec))
        } else {
            var reader = reader
            reader.tolerant = tolerant
            var leftovers: [[UInt8]] = []
            reader.watch = WalkWatch(
                found: { status, path in
                    builder.linkCount = UInt64(status.st_nlink)
                    return try Self.known(
                        status, try merge.wanted(at: path), trusting)
                }, leftover: { leftovers.append($0) })
            try reader.read(spec) { entry in
                self.report.add(entry)
                try merge.push(entry)
            }
            builder.plan.leftovers = leftovers
        }
        try merge.finish()
        builder.plan.leftovers += try leftovers(beside: roots)
        return builder.plan
    }

    /// The chunks of a file that need not be read: it is another one in any case, or it was read
    /// back when it was written and nobody has touched it since.
    private static func known(
        _ found: stat, _ wanted: Entry?, _ trusting: TrustedFiles?
    ) throws -> [ObjectID]? {
        guard let wanted, wanted.kind == .regular, wanted.size == UInt64(found.st_size) else {
            return found.st_size == 0 ? [] : [ObjectID(hashing: Array("not read".utf8))]
        }
        return trusting?.holds(found) == true ? wanted.chunks : nil
    }

    /// What an interrupted restore left beside a component's own paths, which no walk sees.
    private func leftovers(beside roots: [[UInt8]]) throws -> [[UInt8]] {
        try roots.map(TreeRestore.beside).filter { path in
            guard let (parent, name) = try reader.root.parent(of: path) else { return false }
            return try parent.status(of: name) != nil
        }
    }

    /// The component's paths, as catalogues have them.
    static func roots(of spec: ComponentSpec) throws -> [[UInt8]] {
        let paths: [String] =
            switch spec.driver {
            case .files(let paths, _, _): paths
            case .config(let paths): paths
            case .flags(let path), .sqlite(let path): [path]
            case .service, .unknown: []
            }
        return try paths.map { try HostRoot.whole(Array($0.utf8)) }
    }

    /// A database that cannot be backed up any more is one that differs.
    private func database(_ path: String, _ spec: ComponentSpec) throws -> Entry {
        do {
            return try reader.entries(of: spec)[0]
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
                name: part.component.spec.name, control: control, wasActive: part.wasActive,
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

/// Files that were read back when they were written beside, and that nobody has touched since.
struct TrustedFiles {
    private let files: [WrittenFile]
    /// Times of change from this on are too near to the moment at which other processes could reach
    /// the files, as coarse as clocks of file systems are.
    private let before: Int64

    static let none = TrustedFiles([], reachableFrom: 0)

    /// `files` are sorted; `reachableFrom` is when they got their names, in nanoseconds since 1970.
    init(_ files: [WrittenFile], reachableFrom: Int64) {
        self.files = files
        before = reachableFrom - 20_000_000
    }

    func holds(_ found: stat) -> Bool {
        let wanted = WrittenFile(found)
        guard wanted.changed < before else { return false }
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if files[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < files.count && files[low] == wanted
    }
}
