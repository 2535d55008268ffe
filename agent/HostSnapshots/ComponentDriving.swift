import FleetWire

/// How a component that is more than a tree of files is captured, compared and restored.
///
/// Its state is entries as that of a tree is: some of kinds that `TreeWalker` makes, below `paths`,
/// and behind them entries of its own, of kinds that are not of a tree. Their `target` says what
/// their state is; their chunks are what a restore needs and do not count in the state.
protocol ComponentDriving {
    /// Trees that belong to it, walked and restored as those of the driver `files` are.
    func paths() throws -> [String]
    /// When in a restore its own entries are restored.
    var phase: RestorePhase { get }
    /// True if the plan's services stop while it is restored.
    var needsStop: Bool { get }

    /// Throws if it cannot be captured; nothing was written yet.
    func check() throws
    /// Bytes that a capture of its own entries takes in the store, at most.
    func spaceNeeded() throws -> UInt64
    /// Its own entries as they are now, their content into `sink`. `point` is the point that they
    /// are for; without one only their state is wanted and nothing is kept outside `sink`.
    func entries(into sink: any ObjectSink, point: PointID?) throws -> [Entry]
    /// Its own entries as they are now, to be held against those that were captured.
    func entries(against captured: [Entry]) throws -> [Entry]
    /// What is damaged of that which the captured entries need beside objects, one sentence each.
    func damage(of captured: [Entry]) throws -> [String]
    /// Throws if a restore to `captured` is known to fail; nothing has changed yet.
    func checkRestore(to captured: [Entry]) throws
    /// Makes its own entries again what was captured, all or nothing. It can be interrupted
    /// anywhere and called again. `beforeChange` is called before each change.
    func restore(
        to captured: [Entry], from objects: ObjectReader,
        beforeChange: (String) throws -> Void
    ) throws
    /// Removes what an interrupted restore left beside its own entries, which are those that were
    /// captured.
    func removeLeftovers(beforeChange: (String) throws -> Void) throws
    /// Removes what is kept outside the store for a point that is being removed. It may be gone
    /// already.
    func forget(_ captured: [Entry]) throws
    /// The same for a point whose capture failed, as far as it came.
    func abandon(_ point: PointID)
}

/// The order in which a restore carries out drivers, files between the first two.
enum RestorePhase {
    /// What lays files down that components of files then make exact.
    case beforeFiles
    /// What may need the files.
    case afterFiles
    /// What needs everything else.
    case last
}

extension ComponentDriving {
    func paths() throws -> [String] { [] }
    var needsStop: Bool { false }
    func check() throws {}
    func spaceNeeded() throws -> UInt64 { 0 }
    func entries(against captured: [Entry]) throws -> [Entry] {
        try entries(into: HashingSink(), point: nil)
    }
    func damage(of captured: [Entry]) throws -> [String] { [] }
    func checkRestore(to captured: [Entry]) throws {}
    func removeLeftovers(beforeChange: (String) throws -> Void) throws {}
    func forget(_ captured: [Entry]) throws {}
    func abandon(_ point: PointID) {}
}

/// What drivers are given of the host.
struct DriverHost {
    let root: HostRoot
    let store: StoreFiles
    let services: any ServiceControlling
    /// What other points keep.
    var points: StoredPoints { StoredPoints(files: store, keys: StoreKeys(store)) }
    /// Who may stop what drivers do.
    var stop = StopHook()

    /// The driver of `spec`; nil for components that are a tree or a SQLite database, which the
    /// store captures itself, and for unknown ones.
    func driver(of spec: ComponentSpec) -> (any ComponentDriving)? {
        switch spec.driver {
        case .files, .config, .flags, .sqlite, .unknown: return nil
        case .service(let control):
            return ServiceDriver(name: spec.name, control: control, services: services, root: root)
        case .package(let component): return PackageDriver(component: component, host: self)
        case .postgres(let component): return PostgresDriver(component: component, host: self)
        case .btrfs(let component):
            return BtrfsDriver(component: component, name: spec.name, host: self)
        case .command(let component):
            return CommandDriver(component: component, name: spec.name, host: self)
        }
    }
}
