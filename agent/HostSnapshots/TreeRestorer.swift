import FleetWire
import Glibc

/// Carries plans out: removes, writes all beside, syncs once, renames all, repairs the directories
/// and syncs again (the format's "Order of writes"). Each change is complete or not there, so that
/// it may be interrupted anywhere and run again.
final class TreeRestorer {
    let root: HostRoot
    let objects: ObjectReader
    let beforeChange: (String) throws -> Void
    private var cached: (path: [UInt8], directory: Descriptor)?
    private var touched: Set<[UInt8]> = []
    private var written = WrittenFileSystems()
    /// Paths of entries that stand beside and are not renamed yet.
    private var isPending: Set<[UInt8]> = []

    init(
        root: HostRoot, objects: ObjectReader, beforeChange: @escaping (String) throws -> Void
    ) {
        self.root = root
        self.objects = objects
        self.beforeChange = beforeChange
    }

    /// `done` is called after each removal, and after each change once it is in place.
    func carryOut(_ plans: [RestorePlan], done: (ComponentName, [UInt8]) -> Void) throws {
        for plan in plans { try remove(plan) { done(plan.component, $0) } }
        cached = nil
        for plan in plans {
            for entry in plan.changes {
                try apply(entry, inPlace: plan.repairs.contains(entry.path))
            }
        }
        // No name may show a file whose bytes a power cut could still take.
        try written.sync(beforeChange)
        cached = nil
        for plan in plans {
            for entry in plan.changes {
                if isPending.contains(entry.path) { try putInPlace(entry) }
                done(plan.component, entry.path)
            }
        }
        for entry in plans.flatMap(\.wanted).reversed()
        where entry.kind == .directory && touched.contains(entry.path) {
            let (parent, name) = try directory(of: entry.path)
            try MetadataWriter(beforeChange).apply(entry, parent, name)
        }
        try written.sync(beforeChange)
    }

    private func remove(_ plan: RestorePlan, done: ([UInt8]) -> Void) throws {
        try removeLeftovers(plan)
        for path in plan.removals {
            if plan.isDatabase {
                for suffix in ["-wal", "-shm", "-journal"] {
                    try remove(path + Array(suffix.utf8))
                }
            }
            try remove(path)
            done(path)
        }
    }

    private func apply(_ entry: Entry, inPlace: Bool) throws {
        let (parent, name) = try directory(of: entry.path)
        if entry.kind == .directory {
            touched.insert(entry.path)
            if try parent.status(of: name) == nil {
                try change("make directory", entry.path) {
                    withPath(name) { parent.calls.mkdirat(parent.raw, $0, 0o700) }
                }
                touch(parentOf: entry.path)
            }
            return try written.note(parent)
        }
        if inPlace, let found = try parent.status(of: name), found.st_nlink == 1 {
            try written.note(parent)
            return try MetadataWriter(beforeChange).apply(entry, parent, name)
        }
        try writeBeside(entry, parent)
    }

    private func writeBeside(_ entry: Entry, _ parent: Descriptor) throws {
        let beside = Self.beside(entry.path)
        touch(parentOf: entry.path)
        try written.note(parent)
        try makeWritable(parent, entry.path)
        try removeLeftover(parent, beside, entry.path)
        switch entry.kind {
        case .hardLink:
            guard let (first, firstName) = try root.parent(of: entry.target) else {
                throw PointError.system("link", entry.target, ENOENT)
            }
            let source = isPending.contains(entry.target) ? Self.beside(entry.target) : firstName
            try change("link", entry.path) {
                withPath(source) { from in
                    withPath(beside) { parent.calls.linkat(first.raw, from, parent.raw, $0) }
                }
            }
        case .regular, .database: try write(entry, parent, beside)
        default: try make(entry, parent, beside)
        }
        isPending.insert(entry.path)
    }

    private func putInPlace(_ entry: Entry) throws {
        let (parent, name) = try directory(of: entry.path)
        let beside = Self.beside(entry.path)
        if entry.kind == .database {
            for suffix in ["-wal", "-shm", "-journal"] {
                // Before the rename: a stale log must never meet the restored file.
                try removeLeftover(parent, name + Array(suffix.utf8), entry.path)
            }
        }
        try change("rename", entry.path) {
            withPath(beside) { from in
                withPath(name) { parent.calls.renameat(parent.raw, from, parent.raw, $0) }
            }
        }
        // Renaming one link of a file over another does nothing, and leaves both.
        if entry.kind == .hardLink { try removeLeftover(parent, beside, entry.path) }
    }

    private func make(_ entry: Entry, _ parent: Descriptor, _ beside: [UInt8]) throws {
        let types: [Entry.Kind: mode_t] = [
            .fifo: S_IFIFO, .characterDevice: S_IFCHR, .blockDevice: S_IFBLK,
        ]
        try change("make", entry.path) {
            withPath(beside) { path in
                guard let type = types[entry.kind] else {
                    return withPath(entry.target) { parent.calls.symlinkat($0, parent.raw, path) }
                }
                return parent.calls.mknodat(parent.raw, path, type | 0o600, dev_t(entry.device))
            }
        }
        try MetadataWriter(beforeChange).apply(entry, parent, beside)
    }

    private func write(_ entry: Entry, _ parent: Descriptor, _ beside: [UInt8]) throws {
        try beforeChange("create \(printable(entry.path))")
        guard let file = parent.open(beside, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600) else {
            throw PointError.system("create", entry.path, errno)
        }
        let isSparse = entry.flags & Entry.sparse != 0
        var offset = 0
        for chunk in entry.chunks {
            let count = min(SnapshotLimits.chunkBytes, Int(clamping: entry.size) - offset)
            guard count > 0 else {
                throw PointError.damaged(printable(entry.path), "it has more chunks than its size")
            }
            defer { offset += count }
            if chunk == .zeros, isSparse { continue }
            let bytes =
                chunk == .zeros ? [UInt8](repeating: 0, count: count) : try objects.read(chunk)
            guard bytes.count == count else {
                throw PointError.damaged("object \(chunk.digest)", "it is no chunk of this file")
            }
            try beforeChange("write \(printable(entry.path))")
            try bytes.withUnsafeBytes {
                try write($0, at: offset, leavingHoles: isSparse, file, entry.path)
            }
        }
        if isSparse, file.calls.ftruncate(file.raw, Int(clamping: entry.size)) != 0 {
            throw PointError.system("set the size of", entry.path, errno)
        }
        if entry.kind == .database {
            try MetadataWriter(beforeChange).applyOwnership(entry, parent, beside)
        } else {
            try MetadataWriter(beforeChange).apply(entry, to: file)
        }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, leavingHoles: Bool, _ file: Descriptor,
        _ path: [UInt8]
    ) throws {
        let block = leavingHoles ? 4096 : bytes.count
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + block)
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if !leavingHoles || !isZero(part) {
                guard file.calls.lseek(file.raw, offset + start, SEEK_SET) >= 0 else {
                    throw PointError.system("write", path, errno)
                }
                try file.write(part, path)
            }
            start = end
        }
    }

    // MARK: - Removing

    /// Removes `path` with all it holds; links are removed, never followed.
    func remove(_ path: [UInt8]) throws {
        guard let (parent, name) = try root.parent(of: path),
            let found = try parent.status(of: name)
        else { return }
        touch(parentOf: path)
        try written.note(parent)
        try makeWritable(parent, path)
        try remove(parent, name, found, path)
    }

    private func remove(
        _ parent: Descriptor, _ name: [UInt8], _ found: stat, _ path: [UInt8]
    ) throws {
        guard found.st_mode & S_IFMT == S_IFDIR else {
            return try change("remove", path) {
                withPath(name) { parent.calls.unlinkat(parent.raw, $0, 0) }
            }
        }
        guard try parent.status().st_dev == found.st_dev else {
            throw PointError(
                "remove", printable(path), "a file system is mounted there", "unmount it")
        }
        if geteuid() != 0, found.st_mode & 0o700 != 0o700 {
            try change("open up", path) {
                withPath(name) { parent.calls.fchmodat(parent.raw, $0, 0o700) }
            }
        }
        guard let directory = parent.open(name, O_RDONLY | O_DIRECTORY) else {
            throw PointError.system("open", path, errno)
        }
        for child in try directory.names() {
            guard let status = try directory.status(of: child) else { continue }
            try remove(directory, child, status, path + [UInt8(ascii: "/")] + child)
        }
        try change("remove", path) {
            withPath(name) { parent.calls.unlinkat(parent.raw, $0, AT_REMOVEDIR) }
        }
    }

    /// What an interrupted restore left beside the component's own paths, which no walk sees.
    private func removeLeftovers(_ plan: RestorePlan) throws {
        var last: (path: [UInt8], directory: Descriptor?) = ([], nil)
        for entry in plan.wanted {
            let slash = entry.path.lastIndex(of: UInt8(ascii: "/")) ?? 0
            let folder = Array(entry.path[..<slash])
            if last.path != folder || last.directory == nil {
                last = (folder, try? root.parent(of: entry.path)?.directory)
            }
            guard let parent = last.directory else { continue }
            let beside = Self.beside(entry.path)
            if try parent.status(of: beside) != nil {
                touch(parentOf: entry.path)
                try written.note(parent)
                try removeLeftover(parent, beside, entry.path)
            }
        }
    }

    private func removeLeftover(
        _ parent: Descriptor, _ name: [UInt8], _ path: [UInt8]
    ) throws {
        guard try parent.status(of: name) != nil else { return }
        try change("remove what is beside", path) {
            withPath(name) { parent.calls.unlinkat(parent.raw, $0, 0) }
        }
    }

    /// The name under which an entry is written before it is renamed; the same in each run.
    static func beside(_ path: [UInt8]) -> [UInt8] {
        Array(".belay~\(ObjectID(hashing: path).digest.hex.prefix(16))".utf8)
    }

    // MARK: - Directories

    private func directory(of path: [UInt8]) throws -> (Descriptor, [UInt8]) {
        let names = try HostRoot.names(of: path)
        let parentPath = names.dropLast().flatMap { [UInt8(ascii: "/")] + $0 }
        let name = names[names.count - 1]
        if let cached, cached.path == parentPath { return (cached.directory, name) }
        try makeParents(names)
        guard let (parent, _) = try root.parent(of: path) else {
            throw PointError.system("reach", path, ENOENT)
        }
        cached = (parentPath, parent)
        return (parent, name)
    }

    /// Makes directories above the component that are gone; what they were like was not captured.
    private func makeParents(_ names: [[UInt8]]) throws {
        var here = root.directory
        var path: [UInt8] = []
        for name in names.dropLast() {
            path += [UInt8(ascii: "/")] + name
            if try here.status(of: name) == nil {
                try change("make directory", path) {
                    withPath(name) { here.calls.mkdirat(here.raw, $0, 0o755) }
                }
            }
            guard let next = here.open(name, O_RDONLY | O_DIRECTORY) else {
                throw PointError.system("reach", path, errno == ENOTDIR ? ELOOP : errno)
            }
            here = next
        }
    }

    private func touch(parentOf path: [UInt8]) {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return }
        touched.insert(Array(path[..<slash]))
    }

    private func makeWritable(_ parent: Descriptor, _ path: [UInt8]) throws {
        guard geteuid() != 0 else { return }
        let mode = try parent.status().st_mode
        guard mode & 0o300 != 0o300 else { return }
        try change("open up what holds", path) {
            parent.calls.fchmod(parent.raw, mode & 0o7777 | 0o300)
        }
    }

    private func change(_ what: String, _ path: [UInt8], _ body: () -> Int32) throws {
        try beforeChange("\(what) \(printable(path))")
        guard body() == 0 else { throw PointError.system(what, path, errno) }
    }
}
