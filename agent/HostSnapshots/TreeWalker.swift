import CLinux
import Glibc

/// Takes what a walk finds, in the catalogue's order.
protocol WalkSink: AnyObject {
    /// An encoded entry that the index knows and its number there.
    func add(known entry: UnsafeRawBufferPointer, _ ordinal: Int, _ status: FileStatus) throws
    /// An entry that needs no content; without a status it is of no file.
    func add(_ entry: Entry, _ status: FileStatus?) throws
    /// A regular file that must be read: the last `nameCount` bytes of `path` are its name in
    /// `folder`.
    func add(
        file status: FileStatus, nameCount: Int, in folder: Descriptor, path: [UInt8]) throws
}

/// Walks the paths of one component in the order of the catalogue: a directory before what it holds,
/// names by their bytes. What the index knows is neither opened nor are its attributes read, since
/// whatever changes them changes the time of change.
final class TreeWalker {
    private static let snapshots = BtrfsDriver.folder

    private let root: HostRoot
    private let excludes: ExcludePatterns
    private let crossesMounts: Bool
    private let cursor: IndexCursor?
    /// Asked of objects of known entries if the index cannot answer for them itself.
    private let holds: (ObjectID) throws -> Bool
    private let sink: any WalkSink
    private let ahead: WalkAhead?
    /// The first path of each inode with several names.
    private var links: [Inode: [UInt8]] = [:]
    /// The path of the entry that is being visited.
    private var path: [UInt8] = []
    /// Where the part below the component's path begins.
    private var base = 0
    /// Is given what an interrupted restore left beside, which belongs to no component.
    var leftover: (([UInt8]) -> Void)?
    /// Asked before each entry.
    var stop = StopHook()

    private struct Inode: Hashable {
        var device: UInt64
        var number: UInt64
    }

    init(
        root: HostRoot, excludes: ExcludePatterns, crossesMounts: Bool, cursor: IndexCursor?,
        holds: @escaping (ObjectID) throws -> Bool, sink: any WalkSink
    ) {
        self.root = root
        self.excludes = excludes
        self.crossesMounts = crossesMounts
        self.cursor = cursor
        self.holds = holds
        self.sink = sink
        ahead = WalkAhead(root.directory.calls)
    }

    /// The names of a component's paths, in the order in which they are walked.
    static func ordered(_ paths: [String]) throws -> [[UInt8]] {
        try paths.map { path in
            try HostRoot.names(of: Array(path.utf8)).flatMap { [UInt8(ascii: "/")] + $0 }
        }.sorted(by: PathOrder.precedes)
    }

    /// Gives the entries of `path`, one of `ordered`, or that it is absent.
    func walk(_ path: [UInt8]) throws {
        self.path = path
        base = path.count + 1
        guard let (parent, name) = try root.parent(of: path),
            let found = try withPath(name, { try parent.look($0, path) })
        else { return try sink.add(Entry(kind: .absent, path: path), nil) }
        try withPath(name) { try visit(parent, $0, name.count, found, depth: 0, device: nil) }
    }

    private func visit(
        _ parent: Descriptor, _ name: UnsafePointer<CChar>, _ nameCount: Int, _ found: FileStatus,
        depth: Int, device: UInt64?, _ place: WalkAhead.Place? = nil
    ) throws {
        try stop.check()
        if found.isDirectory {
            let listing = place.flatMap { ahead?.take($0) }
            return try enter(parent, name, found, depth: depth, device: device, listing)
        }
        if found.links > 1, found.type != S_IFSOCK {
            let inode = Inode(device: found.device, number: found.inode)
            if let first = links[inode] { return try addLink(to: first, found) }
            links[inode] = path
        }
        if try addKnown(found) { return }
        if found.isRegular {
            return try sink.add(file: found, nameCount: nameCount, in: parent, path: path)
        }
        var entry = Entry(kind: try Self.kind(of: found.type, path), path: path)
        if entry.kind == .symbolicLink { entry.target = try target(parent, name) }
        entry.take(found)
        entry.attributes = try Attributes.read(parent, name, path)
        try sink.add(entry, found)
    }

    /// Adds what the index knows of the present path; false if that is nothing.
    private func addKnown(_ found: FileStatus) throws -> Bool {
        let done = try cursor?.find(path, found) { entry, ordinal -> Bool? in
            let view = EntryView(entry)
            guard let kind = view.kind, kind != .hardLink, kind != .absent,
                try cursor?.isTrusted == true || view.chunks({ try $0 == .zeros || holds($0) })
            else { return nil }
            try sink.add(known: entry, ordinal, found)
            return true
        }
        return done ?? false
    }

    private func addLink(to first: [UInt8], _ found: FileStatus) throws {
        let done = try cursor?.find(path, found) { entry, ordinal -> Bool? in
            let view = EntryView(entry)
            guard view.kind == .hardLink, view.target.elementsEqual(first) else { return nil }
            try sink.add(known: entry, ordinal, found)
            return true
        }
        if done ?? false { return }
        var link = Entry(kind: .hardLink, path: path)
        link.target = first
        try sink.add(link, found)
    }

    /// `device` is that of the directory above; nil for a component's own path, which may be a mount
    /// point.
    private func enter(
        _ parent: Descriptor, _ name: UnsafePointer<CChar>, _ found: FileStatus, depth: Int,
        device: UInt64?, _ listing: WalkAhead.Listing?
    ) throws {
        let directory = try listing?.directory ?? open(parent, name)
        let status = try listing?.status ?? directory.look(path)
        guard status.inode == found.inode, status.device == found.device else {
            throw PointError(
                "read", printable(path), "it was exchanged while it was read", "try again")
        }
        let isMount = device.map { status.isMountRoot || $0 != status.device } ?? false
        let isLeftOut = isMount && !crossesMounts
        if try isLeftOut || !addKnown(status) {
            var entry = Entry(kind: .directory, path: path)
            entry.take(status)
            entry.attributes = try Attributes.read(directory)
            if isLeftOut { entry.flags |= Entry.mountPoint }
            try sink.add(entry, isLeftOut ? nil : status)
        }
        if isLeftOut { return }
        guard depth < SnapshotLimits.depthMax else {
            throw PointError(
                "read", printable(path), "it lies more than \(SnapshotLimits.depthMax) deep",
                "exclude it")
        }
        let content =
            try listing?.content ?? DirectoryContent(directory, path, looks: ahead != nil)
        try visit(content, of: directory, depth: depth, device: status.device)
    }

    private func open(_ parent: Descriptor, _ name: UnsafePointer<CChar>) throws -> Descriptor {
        let opened = parent.calls.openat(
            parent.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else { throw PointError.system("open", path, errno) }
        return Descriptor(opened, parent.calls)
    }

    private func isExcluded(_ path: @autoclosure () -> [UInt8], isDirectory: Bool) -> Bool {
        !excludes.isEmpty && excludes.excludes(Array(path()[base...]), isDirectory: isDirectory)
    }

    /// Lets the directories in `content` be looked through before they are entered; by position.
    private func lookAhead(
        _ content: DirectoryContent, of directory: Descriptor, device: UInt64
    ) -> [Int: WalkAhead.Place] {
        var places: [(position: Int, place: WalkAhead.Place)] = []
        for (position, found) in content.found.enumerated() where found?.isDirectory ?? false {
            content.names.withName(position) { name, count in
                if strcmp(name, Self.snapshots) == 0 || root.beside.holds(name, count) { return }
                let name = Array(UnsafeRawBufferPointer(start: name, count: count))
                if isExcluded(path + [UInt8(ascii: "/")] + name, isDirectory: true) { return }
                places.append((position, WalkAhead.Place(directory, name, device: device)))
            }
        }
        ahead?.expect(places.map(\.place))
        return Dictionary(uniqueKeysWithValues: places.map { ($0.position, $0.place) })
    }

    private func visit(
        _ content: DirectoryContent, of directory: Descriptor, depth: Int, device: UInt64
    ) throws {
        let places = lookAhead(content, of: directory, device: device)
        let end = path.count
        for position in 0..<content.names.count {
            try content.names.withName(position) { name, count in
                // Snapshots belong to the points that made them, never to a component.
                if strcmp(name, Self.snapshots) == 0 { return }
                path.append(UInt8(ascii: "/"))
                path.append(contentsOf: UnsafeRawBufferPointer(start: name, count: count))
                defer { path.removeLast(path.count - end) }
                if root.beside.holds(name, count) {
                    leftover?(path)
                    return
                }
                let known =
                    try content.found.isEmpty
                    ? directory.look(name, path) : content.found[position]
                guard let found = known else { return }
                if isExcluded(path, isDirectory: found.isDirectory) { return }
                try visit(
                    directory, name, count, found, depth: depth + 1, device: device,
                    places[position])
            }
        }
    }

    private func target(_ parent: Descriptor, _ name: UnsafePointer<CChar>) throws -> [UInt8] {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = parent.calls.readlinkat(parent.raw, name, &bytes, bytes.count)
        guard count >= 0 else { throw PointError.system("read the link", path, errno) }
        return bytes.prefix(count).map { UInt8(bitPattern: $0) }
    }

    static func kind(of status: stat, _ path: [UInt8]) throws -> Entry.Kind {
        try kind(of: status.st_mode & S_IFMT, path)
    }

    static func kind(of type: mode_t, _ path: [UInt8]) throws -> Entry.Kind {
        switch type {
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
