import FleetWire
import Glibc

/// Makes the entries of a component as it is now: for a capture, a comparison or a digest.
struct ComponentReader {
    let root: HostRoot
    let store: StoreFiles
    let services: any ServiceControlling
    let sink: any ObjectSink
    /// Sinks of further threads that read at the same time; none if a test watches.
    var otherSinks: [any ObjectSink] = []
    let index: UnchangedIndex?
    /// True: what cannot be read steadily counts as different instead of failing.
    var tolerant = false
    /// Who may stop it.
    var stop = StopHook()

    /// The point that is being captured; nil if only the state is wanted.
    var point: PointID?

    var host: DriverHost {
        DriverHost(root: root, store: store, services: services, stop: stop)
    }

    /// All entries of a component: those of its trees, then those of its driver.
    func entries(of spec: ComponentSpec) throws -> [Entry] {
        var entries: [Entry] = []
        try read(spec) { entries.append($0) }
        return entries
    }

    /// Pushes the component's entries as it is now: those of its trees, in the order of the
    /// catalogue, then those of its driver.
    func read(_ spec: ComponentSpec, _ push: @escaping (Entry) throws -> Void) throws {
        let own = try host.driver(of: spec)?.entries(into: sink, point: point) ?? []
        try trees(of: spec, push)
        for entry in own { try push(entry) }
    }

    /// The entries of its trees, or of its SQLite database, at once.
    func trees(of spec: ComponentSpec) throws -> [Entry] {
        var entries: [Entry] = []
        try trees(of: spec) { entries.append($0) }
        return entries
    }

    /// The entries of its trees, or of its SQLite database.
    func trees(of spec: ComponentSpec, _ push: @escaping (Entry) throws -> Void) throws {
        if case .sqlite(let path) = spec.driver { return try push(try database(path)) }
        guard let walk = try walk(of: spec) else { return }
        try read(walk, index?.cursor(walk.key)) { batch in
            for entry in try batch.entries() { try push(entry) }
        }
    }

    /// Adds all entries of a component to `stream`; `cursor` is the index's for its `walk`.
    func read(_ spec: ComponentSpec, into stream: CatalogueStream, _ cursor: IndexCursor?) throws {
        let own = try host.driver(of: spec)?.entries(into: sink, point: point) ?? []
        if case .sqlite(let path) = spec.driver { try stream.add(try database(path)) }
        if let walk = try walk(of: spec) {
            let watch = ReadWatch(ahead: stream.ahead) { stream.onBatch(stream) }
            try read(walk, cursor, watch) { try stream.add($0) }
        }
        for entry in own { try stream.add(entry) }
    }

    // MARK: - Trees

    /// What is walked of a component's trees.
    struct Walk {
        var paths: [[UInt8]]
        var excludes: [String]
        var crossesMounts: Bool

        /// Under which the index knows it.
        var key: ObjectID {
            UnchangedIndex.key(paths, excludes, crossesMounts: crossesMounts)
        }
    }

    /// Nil for a component without trees.
    func walk(of spec: ComponentSpec) throws -> Walk? {
        let paths: [String]
        var excludes: [String] = []
        switch spec.driver {
        case .files(let named, let exclude, _): (paths, excludes) = (named, exclude)
        case .config(let named, _): paths = named
        case .flags(let path): paths = [path]
        case .sqlite: return nil
        case .service, .package, .postgres, .btrfs, .command:
            paths = try host.driver(of: spec)?.paths() ?? []
            if paths.isEmpty { return nil }
        case .unknown(let name):
            throw PointError(
                "read", "component \(spec.name)", "its driver \(name) is unknown",
                "use a driver that this belay-agent knows, or update it")
        }
        guard !paths.isEmpty, paths.allSatisfy({ !$0.isEmpty }) else {
            throw PointError(
                "read", "component \(spec.name)", "it names no path", "name one in the plan")
        }
        return Walk(
            paths: try TreeWalker.ordered(paths), excludes: excludes,
            crossesMounts: spec.crossMounts ?? false)
    }

    /// Pushes the entries of `walk`, in batches whose entries are all encoded.
    func read(
        _ walk: Walk, _ cursor: IndexCursor?, _ watch: ReadWatch? = nil,
        _ push: @escaping (EntryBatch) throws -> Void
    ) throws {
        let pipeline = EntryPipeline(
            own: ContentReader(sink: sink, isTolerant: tolerant, stop: stop),
            others: otherSinks.map {
                ContentReader(sink: $0, isTolerant: tolerant, stop: stop)
            }, watch: watch, push: push)
        do {
            try self.walk(walk, cursor, pipeline)
        } catch {
            pipeline.stop()
            throw error
        }
        try pipeline.finish()
    }

    /// Walks for `sink` alone, which reads nothing unless it does so itself.
    /// `leftover` is given the path of each thing that an interrupted restore left.
    func walk(
        _ walk: Walk, _ cursor: IndexCursor?, _ found: any WalkSink,
        leftover: (([UInt8]) -> Void)? = nil
    ) throws {
        let walker = TreeWalker(
            root: root, excludes: ExcludePatterns(walk.excludes),
            crossesMounts: walk.crossesMounts, cursor: cursor, holds: sink.holds, sink: found)
        walker.leftover = leftover
        walker.stop = stop
        for path in walk.paths { try walker.walk(path) }
    }

    private func database(_ path: String) throws -> Entry {
        let copy = try DatabaseCopy(
            of: path, root: root, store: store, stop: stop)
        guard let copy else { return Entry(kind: .absent, path: Array(path.utf8)) }
        return try copy.entry(sink: sink)
    }
}
