import FleetWire
import Glibc

/// Makes the entries of a component as it is now: for a capture, a comparison or a digest.
struct ComponentReader {
    let root: HostRoot
    let store: StoreFiles
    let services: any ServiceControlling
    let sink: any ObjectSink
    let index: UnchangedIndex?
    /// True: what cannot be read steadily counts as different instead of failing.
    var tolerant = false
    /// The point that is being captured; nil if only the state is wanted.
    var point: PointID?

    var host: DriverHost { DriverHost(root: root, store: store, services: services) }

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
        switch spec.driver {
        case .files(let paths, let exclude, _):
            try tree(spec, paths, ExcludePatterns(exclude), push)
        case .config(let paths, _): try tree(spec, paths, ExcludePatterns([]), push)
        case .flags(let path): try tree(spec, [path], ExcludePatterns([]), push)
        case .sqlite(let path): try push(try database(path))
        case .service, .package, .postgres, .btrfs, .command:
            let paths = try host.driver(of: spec)?.paths() ?? []
            if !paths.isEmpty { try tree(spec, paths, ExcludePatterns([]), push) }
        case .unknown(let name):
            throw PointError(
                "read", "component \(spec.name)", "its driver \(name) is unknown",
                "use a driver that this belay-agent knows, or update it")
        }
    }

    private func tree(
        _ spec: ComponentSpec, _ paths: [String], _ excludes: ExcludePatterns,
        _ push: @escaping (Entry) throws -> Void
    ) throws {
        guard !paths.isEmpty, paths.allSatisfy({ !$0.isEmpty }) else {
            throw PointError(
                "read", "component \(spec.name)", "it names no path", "name one in the plan")
        }
        let reader = ContentReader(sink: sink, index: index)
        let walker = TreeWalker(
            root: root, excludes: excludes,
            content: { parent, name, found, path in
                do {
                    return try reader.read(parent, name, found, path: path)
                } catch  where tolerant {
                    // No file hashes to this, so that it counts as different.
                    return ([ObjectID(hashing: Array("unsteady".utf8))], found)
                }
            }, push: push)
        for path in paths.sorted() { try walker.walk(path) }
    }

    private func database(_ path: String) throws -> Entry {
        let copy = try DatabaseCopy(
            of: path, root: root, store: store)
        guard let copy else { return Entry(kind: .absent, path: Array(path.utf8)) }
        return try copy.entry(sink: sink)
    }
}
