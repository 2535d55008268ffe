import FleetWire
import Glibc

/// The driver `btrfs`: a subvolume is kept as a read-only snapshot in `.belay-points` beside it.
struct BtrfsDriver: ComponentDriving {
    /// The directory of snapshots, beside the subvolumes; no walk enters it.
    static let folder = ".belay-points"

    let component: BtrfsComponent
    let name: ComponentName
    let host: DriverHost
    let phase = RestorePhase.beforeFiles
    let needsStop = true

    private var path: [UInt8] { Array(component.path.utf8) }

    func check() throws {
        guard let (parent, name) = try host.root.parent(of: path),
            let live = parent.open(name, O_RDONLY | O_DIRECTORY)
        else { return try checkAbsent() }
        let found = try subvolume(live, parent)
        guard try !BtrfsCalls.holdsSubvolumes(live) else {
            throw error(
                "capture", "other subvolumes lie within it, which no snapshot would hold",
                "move them out of it, or name a files component")
        }
        _ = found
    }

    /// A directory that cannot be opened is not absent.
    private func checkAbsent() throws {
        guard let (parent, name) = try host.root.parent(of: path) else { return }
        guard try parent.status(of: name) == nil else {
            throw error("open", "it is no directory that can be opened", "name a subvolume")
        }
    }

    func entries(into sink: any ObjectSink, point: PointID?) throws -> [Entry] {
        var entry = Entry(kind: .subvolume, path: path)
        guard let (parent, name) = try host.root.parent(of: path),
            let live = parent.open(name, O_RDONLY | O_DIRECTORY)
        else {
            try checkAbsent()
            entry.target = Self.absent
            return [entry]
        }
        guard let point else {
            // Whoever asks for the state alone wants to know whether two states are the same.
            let reader = ComponentReader(
                root: host.root, store: host.store, services: host.services, sink: sink,
                index: nil)
            let tree = ComponentSpec(
                name: self.name,
                driver: .files(paths: [component.path], exclude: [], data: false), restart: false)
            entry.target = Array(Catalogue.state(of: try reader.trees(of: tree)).digest.hex.utf8)
            return [entry]
        }
        _ = try subvolume(live, parent)
        let folder = try makeFolder(parent)
        try clear(folder)
        let snapshot = snapshotName(point)
        try BtrfsCalls.snapshot(live, in: folder, snapshot, isReadOnly: true)
        guard let kept = folder.open(snapshot, O_RDONLY | O_DIRECTORY),
            let made = try BtrfsCalls.subvolume(of: kept)
        else { throw PointError.system("open the snapshot", snapshot, errno) }
        entry.target = Array("\(Self.hex(made.source)) \(made.changed)".utf8)
        entry.attributes = [
            .init(name: Array("snapshot".utf8), value: snapshot),
            .init(name: Array("uuid".utf8), value: made.uuid),
        ]
        return [entry]
    }

    func entries(against captured: [Entry]) throws -> [Entry] {
        guard let wanted = captured.first else { return [] }
        var now = wanted
        guard let (parent, name) = try host.root.parent(of: path),
            let live = parent.open(name, O_RDONLY | O_DIRECTORY)
        else {
            try checkAbsent()
            now.target = Self.absent
            return [now]
        }
        guard wanted.target != Self.absent else {
            now.target = Array("present".utf8)
            return [now]
        }
        guard let kept = try snapshot(of: wanted), try isSame(live, parent, as: kept) else {
            now.target = Array("changed".utf8)
            return [now]
        }
        return [wanted]
    }

    /// Fast if nothing in it was written since; else all of it is looked at.
    private func isSame(_ live: Descriptor, _ parent: Descriptor, as kept: Descriptor) throws
        -> Bool
    {
        // What lies in memory only has no transaction yet.
        guard live.calls.syncfs(live.raw) == 0 else {
            throw PointError.system("sync", path, errno)
        }
        guard let snapshot = try BtrfsCalls.subvolume(of: kept) else { return false }
        let now = try subvolume(live, parent)
        let isRelated = now.uuid == snapshot.source || now.source == snapshot.uuid
        if isRelated, now.changed == snapshot.changed { return true }
        var comparison = TreeComparison(
            relatedBefore: isRelated ? snapshot.made - SnapshotLimits.settledNanoseconds : 0)
        return try comparison.areSame(kept, live)
    }

    func damage(of captured: [Entry]) throws -> [String] {
        guard let wanted = captured.first else { return ["it holds no subvolume"] }
        if wanted.target == Self.absent { return [] }
        return try snapshot(of: wanted) == nil
            ? ["the snapshot of \(component.path) is gone or is another one"] : []
    }

    func checkRestore(to captured: [Entry]) throws {
        guard let (parent, name) = try host.root.parent(of: path),
            let live = parent.open(name, O_RDONLY | O_DIRECTORY)
        else { return try checkAbsent() }
        _ = try subvolume(live, parent)
        guard try !BtrfsCalls.holdsSubvolumes(live) else {
            throw error(
                "restore", "other subvolumes were made within it",
                "move them out of it; a restore would delete them")
        }
    }

    func restore(
        to captured: [Entry], from objects: ObjectReader, beforeChange: (String) throws -> Void
    ) throws {
        guard let wanted = captured.first else { return }
        guard let (parent, name) = try host.root.parent(of: path) else {
            if wanted.target == Self.absent { return }
            throw error("restore", "the directory that holds it is gone", "make it again")
        }
        let folder = try makeFolder(parent)
        try delete(beside, in: folder, beforeChange)
        if wanted.target == Self.absent {
            try change("move away", beforeChange) {
                withPath(name) { old in
                    withPath(beside) {
                        parent.calls.renameat(parent.raw, old, folder.raw, $0)
                    }
                }
            }
        } else {
            guard let kept = try snapshot(of: wanted) else {
                throw PointError.damaged("the snapshot of \(component.path)", "it is gone")
            }
            try beforeChange("make a snapshot beside \(component.path)")
            try BtrfsCalls.snapshot(kept, in: folder, beside, isReadOnly: false)
            let isThere = try parent.status(of: name) != nil
            try change(isThere ? "exchange" : "rename", beforeChange) {
                withPath(beside) { from in
                    withPath(name) {
                        isThere
                            ? parent.calls.exchange(folder.raw, from, parent.raw, $0)
                            : parent.calls.renameat(folder.raw, from, parent.raw, $0)
                    }
                }
            }
        }
        try removeOld(in: folder, beforeChange)
    }

    func removeLeftovers(beforeChange: (String) throws -> Void) throws {
        guard let folder = try openFolder(), try folder.status(of: beside) != nil else { return }
        try removeOld(in: folder, beforeChange)
    }

    private var beside: [UInt8] { Array("\(prefix)restore.\(name)".utf8) }

    /// The old state may go once the names are on disk.
    private func removeOld(
        in folder: Descriptor, _ beforeChange: (String) throws -> Void
    ) throws {
        try beforeChange("sync")
        guard folder.calls.syncfs(folder.raw) == 0 else {
            throw PointError.system("sync", path, errno)
        }
        try delete(beside, in: folder, beforeChange)
    }

    func forget(_ captured: [Entry]) throws {
        guard let entry = captured.first, entry.target != Self.absent,
            try snapshot(of: entry) != nil, let folder = try openFolder(),
            let name = Self.attribute("snapshot", of: entry)
        else { return }
        try BtrfsCalls.delete(name, in: folder)
    }

    func abandon(_ point: PointID) {
        if let folder = try? openFolder(), (try? folder.status(of: snapshotName(point))) != nil {
            try? BtrfsCalls.delete(snapshotName(point), in: folder)
        }
    }

    // MARK: - Snapshots

    /// Begins all names of this store's snapshots: several stores may keep theirs in one directory.
    private var prefix: String {
        StoreFiles.digits(of: host.store.path) + "."
    }

    private func snapshotName(_ point: PointID) -> [UInt8] {
        Array("\(prefix)\(point).\(name)".utf8)
    }

    /// The snapshot that an entry names; nil if it is gone or another one stands there.
    private func snapshot(of entry: Entry) throws -> Descriptor? {
        guard let folder = try openFolder(), let name = Self.attribute("snapshot", of: entry),
            name.starts(with: prefix.utf8), !name.contains(UInt8(ascii: "/")),
            let kept = folder.open(name, O_RDONLY | O_DIRECTORY),
            let found = try BtrfsCalls.subvolume(of: kept),
            found.uuid == Self.attribute("uuid", of: entry)
        else { return nil }
        return kept
    }

    /// Removes snapshots of captures that were killed before their point existed.
    private func clear(_ folder: Descriptor) throws {
        for name in try folder.names() {
            let text = String(decoding: name, as: UTF8.self)
            guard text.hasPrefix(prefix), text.hasSuffix(".\(self.name)"),
                !text.hasPrefix(prefix + "restore.")
            else { continue }
            let point = text.dropFirst(prefix.count).dropLast(self.name.rawValue.count + 1)
            if try !host.store.isThere("points/\(point).json") {
                try BtrfsCalls.delete(name, in: folder)
            }
        }
    }

    private func openFolder() throws -> Descriptor? {
        guard let (parent, _) = try host.root.parent(of: path) else { return nil }
        return parent.open(Array(Self.folder.utf8), O_RDONLY | O_DIRECTORY)
    }

    private func makeFolder(_ parent: Descriptor) throws -> Descriptor {
        let name = Array(Self.folder.utf8)
        if withPath(name, { parent.calls.mkdirat(parent.raw, $0, 0o700) }) != 0, errno != EEXIST {
            throw PointError.system("make", name, errno)
        }
        guard let folder = parent.open(name, O_RDONLY | O_DIRECTORY) else {
            throw PointError.system("open", name, errno)
        }
        return folder
    }

    private func delete(
        _ name: [UInt8], in folder: Descriptor, _ beforeChange: (String) throws -> Void
    ) throws {
        guard try folder.status(of: name) != nil else { return }
        try beforeChange("delete what is beside \(component.path)")
        try BtrfsCalls.delete(name, in: folder)
    }

    private func change(
        _ what: String, _ beforeChange: (String) throws -> Void, _ body: () -> Int32
    ) throws {
        try beforeChange("\(what) \(component.path)")
        guard body() == 0 else { throw PointError.system(what, path, errno) }
    }

    /// What the kernel says of the subvolume whose root `live` is; throws if it is none, or if it
    /// is mounted where it stands and could not be exchanged.
    private func subvolume(
        _ live: Descriptor, _ parent: Descriptor
    ) throws -> BtrfsCalls.Subvolume {
        guard let found = try BtrfsCalls.subvolume(of: live) else {
            throw error("read", "it does not lie on btrfs", "use the driver files")
        }
        guard try live.status().st_ino == BtrfsCalls.rootInode else {
            throw error("read", "it is no subvolume", "make it one, or use the driver files")
        }
        guard let holder = try BtrfsCalls.subvolume(of: parent), holder.id == found.parent,
            try found.directory == UInt64(parent.status().st_ino)
        else {
            throw error(
                "read", "it is mounted where it stands and could not be exchanged",
                "name a subvolume that lies within a mounted file system")
        }
        return found
    }

    private static let absent = Array("absent".utf8)

    private static func attribute(_ name: String, of entry: Entry) -> [UInt8]? {
        entry.attributes.first { $0.name == Array(name.utf8) }?.value
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func error(_ attempt: String, _ cause: String, _ remedy: String) -> PointError {
        PointError(attempt, component.path, cause, remedy)
    }
}
