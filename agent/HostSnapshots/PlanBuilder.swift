import FleetWire

/// Makes the plan of one component out of the merge of what was captured and what is there.
final class PlanBuilder {
    /// What is known of each difference; for lists of changes.
    typealias Report = (PointChange.Change, _ present: Entry?, _ wanted: Entry?) -> Void

    var plan: RestorePlan
    private let report: Report?
    private let rights: RestoreRights?
    /// The removed directory whose content comes next.
    private var removed: [UInt8]?
    /// The new directory whose content comes next.
    private var tree: [UInt8]?
    /// Hashes of the files that differ, and whether in content: hard links to them are made anew too.
    /// One too many makes a link that was right once more.
    private var differing: [Int: PointChange.Change] = [:]
    /// How many names the last regular file has, as the walk saw it.
    var linkCount: UInt64 = 1
    /// Paths that lie within other paths of the component come twice.
    let isNested: Bool
    private var seen: Set<[UInt8]> = []
    /// Files and the like that are as they were captured, and those that are not.
    private var unchanged = 0
    private var different = 0
    /// Something is there that stays although it was not captured.
    private var keeps = false
    private var rootIsDirectory = false

    /// If it is checked, it throws where a restore is known to fail.
    init(
        component: ComponentName, roots: [[UInt8]], isChecked: Bool,
        report: Report? = nil
    ) {
        plan = RestorePlan(component: component)
        plan.rooms = roots.map { RestorePlan.Room(root: $0) }
        isNested = roots.contains { one in roots.contains { one.isBelow($0) } }
        rights = isChecked ? RestoreRights() : nil
        self.report = report
    }

    func visit(_ pair: EntryMerge.Pair) throws {
        switch pair {
        case .same: unchanged += 1
        case .wanted(let wanted): try add(wanted)
        case .present(let present):
            if present.kind == .directory { rights?.enter(present) }
            try drop(present)
        case .both(let wanted, let present):
            if present.kind == .directory { rights?.enter(present) }
            try compare(wanted, present)
        }
    }

    /// All was visited.
    func finish() {
        plan.isNearlyAllDifferent =
            plan.rooms.count == 1 && rootIsDirectory && !keeps
            && different >= SnapshotLimits.exchangedFilesMin
            && unchanged * SnapshotLimits.exchangedFilesMin <= different
    }

    /// Plans `entry` as a part of a tree that takes the place of the one that is there.
    func makeAnew(_ entry: Entry) {
        guard entry.kind != .absent, entry.kind != .socket else { return }
        write(entry, plan.changes.isEmpty ? .exchange : .inside)
    }

    private func compare(_ wanted: Entry, _ present: Entry) throws {
        if present.kind == .absent { return try add(wanted) }
        keeps = keeps || present.mustStay
        if wanted.path == plan.rooms.first?.root {
            rootIsDirectory = wanted.kind == .directory && present.kind == .directory
        }
        // Sockets belong to the process that made them: never written, and removed only where they
        // stand in the way.
        if wanted.kind == .absent || wanted.kind == .socket { return try drop(present) }
        if (wanted.kind == .directory) != (present.kind == .directory) || present.kind == .socket {
            try rights?.check(present, wanted)
            plan.replaced.append(wanted.path)
            room(wanted.path) { $0.freed = $0.freed.saturating(present.storedBytes) }
            removed = present.path
            return try add(wanted, insteadOf: present)
        }
        if rights != nil { try Self.checkMounts(wanted, present) }
        let moved = wanted.kind == .hardLink ? differing[wanted.target.hashValue] : nil
        if moved == nil, present.isSame(as: wanted) {
            if wanted.kind != .directory { unchanged += 1 }
            return
        }
        guard isFirst(wanted.path) else { return }
        try rights?.check(present, wanted)
        if wanted.kind == .directory {
            report?(.metadata, present, wanted)
            return plan.directories.append(wanted)
        }
        let isMetadata = present.hasSameContent(as: wanted)
        let change =
            present.kind != wanted.kind
            ? .kind
            : isMetadata
                ? .metadata
                : .content
                    as PointChange.Change
        report?(moved ?? change, present, wanted)
        different += 1
        differing[wanted.path.hashValue] = change
        // Holes come back only by writing.
        let lostHoles = wanted.flags & ~present.flags & Entry.sparse != 0
        if isMetadata, wanted.kind == .regular, linkCount == 1, !lostHoles {
            return plan.changes.append(wanted, .repair)
        }
        write(wanted, .write)
    }

    /// `entry` is not there.
    private func add(_ entry: Entry, insteadOf present: Entry? = nil) throws {
        guard entry.kind != .absent, entry.kind != .socket, isFirst(entry.path) else { return }
        try rights?.check(nil, entry)
        report?(present == nil ? .added : .kind, present, entry)
        if entry.kind != .directory {
            differing[entry.path.hashValue] = .content
            different += 1
        }
        if let tree, entry.path.isBelow(tree) { return write(entry, .inside) }
        if entry.kind == .directory { tree = entry.path }
        write(entry, entry.kind == .directory ? .tree : .write)
    }

    private func write(_ entry: Entry, _ action: PackedEntries.Action) {
        plan.changes.append(entry, action)
        room(entry.path) {
            // A file takes whole blocks, of 4 KiB on most file systems.
            $0.needed = $0.needed.saturating(entry.storedBytes.saturating(4095) & ~4095)
            $0.made += 1
        }
    }

    /// `present` was not there at the capture.
    private func drop(_ present: Entry) throws {
        guard present.kind != .absent else { return }
        keeps = keeps || present.mustStay
        if let removed, present.path.isBelow(removed) {
            try rights?.check(present, nil)
        } else {
            guard present.kind != .socket, isFirst(present.path) else { return }
            try rights?.check(present, nil)
            plan.removals.append(present.path)
            removed = present.path
        }
        report?(.removed, present, nil)
        room(present.path) { $0.freed = $0.freed.saturating(present.storedBytes) }
    }

    private func isFirst(_ path: [UInt8]) -> Bool { !isNested || seen.insert(path).inserted }

    private func room(_ path: [UInt8], _ body: (inout RestorePlan.Room) -> Void) {
        for index in plan.rooms.indices where plan.rooms[index].holds(path) {
            return body(&plan.rooms[index])
        }
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

extension Entry {
    /// Bytes that its content takes at most when it is written.
    var storedBytes: UInt64 {
        guard flags & Entry.sparse != 0 else { return size }
        return min(size, UInt64(chunks.count { $0 != .zeros } * SnapshotLimits.chunkBytes))
    }

    /// True if a tree that it lies in cannot be exchanged.
    var mustStay: Bool {
        kind == .socket || flags & (Self.mountPoint | Self.immutable | Self.appendOnly) != 0
    }
}
