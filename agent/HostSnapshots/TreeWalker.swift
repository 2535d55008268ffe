import Glibc

/// Walks the paths of one component and makes their entries, in the order of the format:
/// a directory before what it holds, names by their bytes.
final class TreeWalker {
    /// Gives a regular file's chunks and its status while they were read.
    typealias Content = (Descriptor, [UInt8], stat, [UInt8]) throws -> ([ObjectID], stat)

    private static let snapshots = Array(BtrfsDriver.folder.utf8)

    private let root: HostRoot
    private let excludes: ExcludePatterns
    private let content: Content
    private var links: [Inode: [UInt8]] = [:]
    private let push: (Entry) throws -> Void

    private struct Inode: Hashable {
        var device: UInt64
        var number: UInt64
    }

    /// `push` is given each entry, in the order of the catalogue.
    init(
        root: HostRoot, excludes: ExcludePatterns, content: @escaping Content,
        push: @escaping (Entry) throws -> Void
    ) {
        self.root = root
        self.excludes = excludes
        self.content = content
        self.push = push
    }

    /// Pushes the entries of `path`, or that it is absent.
    func walk(_ path: String) throws {
        let names = try HostRoot.names(of: Array(path.utf8))
        let whole = names.flatMap { [UInt8(ascii: "/")] + $0 }
        guard let (parent, name) = try root.parent(of: whole),
            let found = try parent.status(of: name)
        else {
            try push(Entry(kind: .absent, path: whole))
            return
        }
        try visit(parent, name, found, path: whole, base: whole.count + 1, depth: 0)
    }

    private func visit(
        _ parent: Descriptor, _ name: [UInt8], _ found: stat, path: [UInt8], base: Int, depth: Int
    ) throws {
        var entry = try self.entry(parent, name, found, path: path)
        guard entry.kind == .directory else { return try push(entry) }
        guard let directory = parent.open(name, O_RDONLY | O_DIRECTORY) else {
            throw PointError.system("open", path, errno)
        }
        let opened = try directory.status()
        guard opened.st_ino == found.st_ino, opened.st_dev == found.st_dev else {
            throw PointError(
                "read", printable(path), "it was exchanged while it was read", "try again")
        }
        if depth > 0, try parent.status().st_dev != opened.st_dev {
            entry.flags |= Entry.mountPoint
            return try push(entry)
        }
        try push(entry)
        guard depth < SnapshotLimits.depthMax else {
            throw PointError(
                "read", printable(path), "it lies more than \(SnapshotLimits.depthMax) deep",
                "exclude it")
        }
        for child in try directory.names() {
            // Snapshots belong to the points that made them, never to a component.
            if child == Self.snapshots { continue }
            let childPath = path + [UInt8(ascii: "/")] + child
            guard let status = try directory.status(of: child) else { continue }
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            if excludes.excludes(Array(childPath[base...]), isDirectory: isDirectory) { continue }
            try visit(directory, child, status, path: childPath, base: base, depth: depth + 1)
        }
    }

    private func entry(
        _ parent: Descriptor, _ name: [UInt8], _ found: stat, path: [UInt8]
    ) throws -> Entry {
        var entry = Entry(kind: try Self.kind(of: found, path), path: path)
        var status = found
        if entry.kind != .directory, entry.kind != .socket, found.st_nlink > 1 {
            let inode = Inode(device: UInt64(found.st_dev), number: UInt64(found.st_ino))
            if let first = links[inode] {
                var link = Entry(kind: .hardLink, path: path)
                link.target = first
                return link
            }
            links[inode] = path
        }
        switch entry.kind {
        case .regular:
            (entry.chunks, status) = try content(parent, name, found, path)
            entry.size = UInt64(status.st_size)
            if status.st_blocks * 512 < status.st_size { entry.flags |= Entry.sparse }
        case .symbolicLink: entry.target = try Self.target(parent, name, path)
        case .characterDevice, .blockDevice: entry.device = UInt64(found.st_rdev)
        default: break
        }
        entry.mode = UInt32(status.st_mode & 0o7777)
        entry.owner = status.st_uid
        entry.group = status.st_gid
        entry.seconds = Int64(status.st_mtim.tv_sec)
        entry.nanoseconds = UInt32(status.st_mtim.tv_nsec)
        entry.attributes = try Attributes.read(parent, name)
        return entry
    }

    static func kind(of status: stat, _ path: [UInt8]) throws -> Entry.Kind {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .regular
        case S_IFDIR: return .directory
        case S_IFLNK: return .symbolicLink
        case S_IFIFO: return .fifo
        case S_IFCHR: return .characterDevice
        case S_IFBLK: return .blockDevice
        case S_IFSOCK: return .socket
        default:
            throw PointError("read", printable(path), "its kind is unknown", "exclude it")
        }
    }

    static func target(
        _ parent: Descriptor, _ name: [UInt8], _ path: [UInt8]
    ) throws -> [UInt8] {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = withPath(name) { parent.calls.readlinkat(parent.raw, $0, &bytes, bytes.count) }
        guard count >= 0 else { throw PointError.system("read the link", path, errno) }
        return bytes.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
