import FleetWire

/// What must be done so that a component is again as it was captured.
struct RestorePlan {
    var component: ComponentName
    var wanted: [Entry]
    /// Topmost paths to remove, deepest order not needed: each is removed with all it holds.
    var removals: [[UInt8]] = []
    /// Entries to write or repair, in the order of the catalogue.
    var changes: [Entry] = []
    /// Paths of changed entries whose metadata alone differs and may be repaired in place.
    var repairs: Set<[UInt8]> = []
    /// Bytes that the removals and replacements give back at least.
    private(set) var freed: UInt64 = 0

    /// A database's log and shared memory go with it.
    var isDatabase = false

    var total: Int { removals.count + changes.count }

    /// Holds `wanted` against what is there now.
    init(component: ComponentName, wanted captured: [Entry], present: [Entry]) throws {
        self.component = component
        // Sockets belong to the process that made them: never written, removed only where they
        // stand in the way.
        wanted = captured.filter { $0.kind != .socket }
        let wantedByPath = Dictionary(
            wanted.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let presentByPath = Dictionary(
            present.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        findRemovals(present, wantedByPath)
        let removed = Set(removals)
        let grouped = Set((wanted + present).filter { $0.kind == .hardLink }.map(\.target))
        var replaced: Set<[UInt8]> = []
        for entry in wanted where entry.kind != .absent {
            let found = removed.contains(entry.path) ? nil : presentByPath[entry.path]
            if let found { try Self.checkMounts(entry, found) }
            let moved = entry.kind == .hardLink && replaced.contains(entry.target)
            if let found, found.isSame(as: entry), !moved { continue }
            changes.append(entry)
            if let found, found.hasSameContent(as: entry),
                entry.kind == .directory
                    || (entry.kind == .regular && !grouped.contains(entry.path))
            {
                repairs.insert(entry.path)
            } else {
                replaced.insert(entry.path)
            }
        }
    }

    private mutating func findRemovals(_ present: [Entry], _ wanted: [[UInt8]: Entry]) {
        var last: [UInt8]?
        for entry in present where entry.kind != .absent {
            if let last, entry.path.starts(with: last + [UInt8(ascii: "/")]) {
                freed += Self.storedBytes(entry)
                continue
            }
            let match = wanted[entry.path]
            let isWanted = match.map { $0.kind != .absent } ?? false
            let fits = match.map { ($0.kind == .directory) == (entry.kind == .directory) } ?? false
            if isWanted ? (fits && entry.kind != .socket) : entry.kind == .socket { continue }
            removals.append(entry.path)
            freed += Self.storedBytes(entry)
            last = entry.path
        }
    }

    /// Objects that `changes` need.
    var objects: Set<ObjectID> { Set(changes.flatMap(\.chunks)).subtracting([.zeros]) }

    /// Bytes that `changes` write at most.
    var needed: UInt64 {
        changes.filter { !repairs.contains($0.path) }.reduce(0) { $0 + Self.storedBytes($1) }
    }

    private static func storedBytes(_ entry: Entry) -> UInt64 {
        let stored =
            entry.flags & Entry.sparse == 0
            ? entry.size
            : UInt64(entry.chunks.count { $0 != .zeros } * SnapshotLimits.chunkBytes)
        return min(entry.size, stored)
    }

    private static func checkMounts(_ wanted: Entry, _ found: Entry) throws {
        guard wanted.kind == .directory, found.kind == .directory,
            (wanted.flags ^ found.flags) & Entry.mountPoint != 0
        else { return }
        let mounted = found.flags & Entry.mountPoint != 0
        throw PointError(
            "restore", printable(wanted.path),
            mounted
                ? "a file system is mounted there that was not at the capture"
                : "the file system that was mounted there at the capture is not",
            mounted ? "unmount it" : "mount it")
    }
}
