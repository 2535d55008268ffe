import Glibc

@testable import HostSnapshots

/// Keeps account of what is durable below one directory, and makes from it what a power cut may
/// leave. Two models:
///
/// - `ordered`: names, kinds and metadata change in the order of the calls and none is lost, as a
///   journal gives in ext4's `data=ordered`, btrfs and xfs; that a journal may also stop earlier is
///   covered by cutting at each call. The content of a regular file that was not synced since it
///   was last written is the content last synced (nothing for a new file), a part of the new, the
///   new with zeros from some place on, or the new.
/// - `weak`: what POSIX gives at least. Each call that changes names survives or not, on its own and
///   whole (a rename never loses both names), unless its directory was synced since; metadata that
///   was not synced is old or new; content as above. A synced file does not sync its name.
///
/// A synced directory keeps its names, and what new names stand for as an empty thing of its kind.
/// `syncfs` keeps everything. What the calls that are watched do not explain (SQLite's files) is
/// old or new, name by name.
final class PowerLoss {
    enum Model { case ordered, weak }
    typealias Number = TreeImage.Number

    private struct Change {
        var folder: Number
        var name: [UInt8]
        /// Nil if the name goes.
        var node: Number?
    }

    private let path: String
    private var durable: TreeImage
    /// Calls that changed names since they were synced, in their order.
    private var calls: [[Change]] = []
    /// The name that the last call was to make, if it was made.
    private var expected: (folder: Number, name: [UInt8])?
    /// The database that the last call let SQLite make durable.
    private var settling: (folder: Number, name: [UInt8])?
    /// What lost its last name since the last sync.
    private var gone: [Number: TreeImage.Node] = [:]
    /// Each inode is kept open, so that no later one gets its number.
    private var held: [Number: Int32] = [:]

    /// All that `path` holds now counts as durable.
    init(_ path: String) throws {
        self.path = path
        durable = try TreeImage(reading: path)
        try hold(AT_FDCWD, Array(path.utf8))
    }

    deinit { for file in held.values { close(file) } }

    // MARK: - Account

    /// Must be told of each call before it is made.
    func note(_ call: FileCall) throws {
        try settle()
        switch call.kind {
        case .sync: try noteSync(call.file)
        case .syncFileSystem:
            durable = try TreeImage(reading: path)
            calls = []
            gone = [:]
            try hold(AT_FDCWD, Array(path.utf8))
        case .open, .makeDirectory, .makeNode, .makeLink:
            guard call.changes, let (folder, name) = try place(call.file, call.name),
                try found(folder, name) == nil
            else { return }
            expected = (folder, name)
        case .link:
            guard let (folder, name) = try place(call.file, call.name),
                let (from, old) = try place(call.source?.file, call.source?.name),
                let node = try found(from, old), try found(folder, name) == nil
            else { return }
            calls.append([Change(folder: folder, name: name, node: node)])
        case .rename, .exchange: try noteRename(call)
        case .remove:
            guard let (folder, name) = try place(call.file, call.name) else { return }
            try keep(folder, name)
            calls.append([Change(folder: folder, name: name, node: nil)])
        case .read, .write, .look, .list, .size, .readLink, .mode, .owner, .time, .readAttribute,
            .writeAttribute, .removeAttribute, .clone, .control, .lock, .space:
            return
        case .database: settling = try place(call.file, call.name)
        }
    }

    private func noteRename(_ call: FileCall) throws {
        guard let (folder, name) = try place(call.file, call.name),
            let (from, old) = try place(call.source?.file, call.source?.name),
            let node = try found(from, old)
        else { return }
        let other = try found(folder, name)
        if other == node { return }
        if call.kind == .rename { try keep(folder, name) }
        calls.append([
            Change(folder: from, name: old, node: call.kind == .rename ? nil : other),
            Change(folder: folder, name: name, node: node),
        ])
    }

    private func noteSync(_ file: Int32) throws {
        guard let (number, node) = try TreeImage.read(open: file) else { return }
        try hold(AT_FDCWD, Array("/proc/self/fd/\(file)".utf8), follow: true)
        let before = durable.nodes[number]?.entries ?? [:]
        durable.nodes[number] = node
        durable.nodes[number]?.entries = before
        guard node.kind == S_IFDIR else { return }
        let now = try TreeImage.entries(of: file)
        for (name, child) in now where durable.nodes[child] == nil {
            guard var (_, empty) = try TreeImage.read(file, name) else { continue }
            if empty.kind == S_IFREG { empty.content = [] }
            durable.nodes[child] = empty
        }
        durable.nodes[number]?.entries = now
        for change in calls.filter({ $0.contains { $0.folder == number } }).joined()
        where change.folder != number {
            durable.nodes[change.folder]?.entries[change.name] = change.node
        }
        calls.removeAll { $0.contains { $0.folder == number } }
    }

    /// Learns what the last call made.
    private func settle() throws {
        if let (folder, name) = settling {
            settling = nil
            for suffix in ["", "-wal", "-shm", "-journal"] {
                let part = name + Array(suffix.utf8)
                let node = try found(folder, part)
                durable.nodes[folder]?.entries[part] = node
                if let node, let file = held[folder] {
                    durable.nodes[node] = try TreeImage.read(file, part)?.1
                }
            }
        }
        guard let (folder, name) = expected else { return }
        expected = nil
        if let node = try found(folder, name) {
            calls.append([Change(folder: folder, name: name, node: node)])
        }
    }

    /// Remembers what the next call may remove.
    private func keep(_ folder: Number, _ name: [UInt8]) throws {
        guard let file = held[folder], let (number, node) = try TreeImage.read(file, name) else {
            return
        }
        gone[number] = node
    }

    private func found(_ folder: Number, _ name: [UInt8]) throws -> Number? {
        guard let file = held[folder] else { return nil }
        var status = stat()
        guard terminated(name, { fstatat(file, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            return nil
        }
        let opened = terminated(name) { openat(file, $0, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC) }
        keepOpen(opened, Number(status.st_ino))
        return Number(status.st_ino)
    }

    /// Which directory and name a call means.
    private func place(
        _ file: Int32?, _ name: UnsafePointer<CChar>?
    ) throws -> (Number, [UInt8])? {
        guard let file, let name else { return nil }
        var bytes = [UInt8](UnsafeRawBufferPointer(start: name, count: strlen(name)))
        var way = "/proc/self/fd/\(file)"
        if file == AT_FDCWD {
            let slash = bytes.lastIndex(of: 0x2F) ?? 0
            way = String(decoding: bytes[..<slash], as: UTF8.self)
            bytes.removeFirst(slash + 1)
        }
        var status = stat()
        guard stat(way, &status) == 0 else { return nil }
        let number = Number(status.st_ino)
        keepOpen(open(way, Self.pathOnly | O_CLOEXEC), number)
        return (number, bytes)
    }

    private func hold(_ folder: Int32, _ path: [UInt8], follow: Bool = false) throws {
        let opened = terminated(path) {
            openat(folder, $0, Self.pathOnly | (follow ? 0 : O_NOFOLLOW) | O_CLOEXEC)
        }
        var status = stat()
        guard opened >= 0, fstat(opened, &status) == 0 else { return }
        keepOpen(opened, Number(status.st_ino))
        guard !follow, status.st_mode & S_IFMT == S_IFDIR else { return }
        let list = open("/proc/self/fd/\(opened)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard list >= 0 else { return }
        defer { close(list) }
        for name in try TreeImage.names(list) { try hold(list, name) }
    }

    private func keepOpen(_ opened: Int32, _ number: Number) {
        guard opened >= 0 else { return }
        if held[number] == nil { held[number] = opened } else { close(opened) }
    }

    /// O_PATH of Linux' fcntl.h, which Swift's Glibc module leaves out.
    private static let pathOnly: Int32 = 0o10_000_000

    // MARK: - The cut

    /// What is found after a power cut now.
    func remains(_ model: Model, seed: UInt64) throws -> TreeImage {
        try settle()
        let now = try TreeImage(reading: path)
        var random = RandomTree(state: (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15)
        let names = model == .ordered ? now.nodes.mapValues(\.entries) : weakNames(now, &random)
        var left = TreeImage()
        left.top = now.top
        var open = [now.top]
        while let number = open.popLast() {
            guard left.nodes[number] == nil,
                let node = now.nodes[number] ?? gone[number] ?? durable.nodes[number]
            else { continue }
            left.nodes[number] = torn(node, durable.nodes[number], model, &random)
            left.nodes[number]?.entries = [:]
            for (name, child) in (names[number] ?? [:]).sorted(by: { $0.value < $1.value }) {
                let node = now.nodes[child] ?? gone[child] ?? durable.nodes[child]
                // Of two names of a directory that a lost rename left, one stays.
                guard let node, node.kind != S_IFDIR || !open.contains(child),
                    node.kind != S_IFDIR || left.nodes[child] == nil
                else { continue }
                left.nodes[number]?.entries[name] = child
                open.append(child)
            }
        }
        return left
    }

    private func weakNames(
        _ now: TreeImage, _ random: inout RandomTree
    ) -> [Number: [[UInt8]: Number]] {
        var names = durable.nodes.mapValues(\.entries)
        var all = names
        for call in calls {
            let survives = random.next(2) == 0
            for change in call {
                all[change.folder, default: [:]][change.name] = change.node
                if survives { names[change.folder, default: [:]][change.name] = change.node }
            }
        }
        for (folder, node) in now.nodes.sorted(by: { $0.key < $1.key }) {
            let told = all[folder] ?? [:]
            for name in Set(told.keys).union(node.entries.keys).sorted(by: {
                $0.lexicographicallyPrecedes($1)
            }) where told[name] != node.entries[name] {
                if random.next(2) == 0 {
                    names[folder, default: [:]][name] = node.entries[name]
                }
            }
        }
        return names
    }

    private func torn(
        _ node: TreeImage.Node, _ before: TreeImage.Node?, _ model: Model,
        _ random: inout RandomTree
    ) -> TreeImage.Node {
        var left = node
        if model == .weak, let before, random.next(2) == 0 {
            left = before
            left.content = node.content
        }
        guard node.kind == S_IFREG, before.map({ !isEqual($0.content, node.content) }) ?? true
        else { return left }
        let place = random.next(node.content.count + 1)
        switch random.next(4) {
        case 0: left.content = before?.content ?? []
        case 1: left.content = Array(node.content[..<place])
        case 2:
            left.content.replaceSubrange(
                place..., with: [UInt8](repeating: 0, count: node.content.count - place))
        default: break
        }
        return left
    }

    private func isEqual(_ one: [UInt8], _ two: [UInt8]) -> Bool {
        one.count == two.count && memcmp(one, two, one.count) == 0
    }
}

extension TreeImage {
    /// An open file or directory itself, without what a directory holds.
    static func read(open file: Int32) throws -> (Number, Node)? {
        var target = [CChar](repeating: 0, count: 8192)
        let count = readlink("/proc/self/fd/\(file)", &target, target.count)
        let path = target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return try read(AT_FDCWD, path)
    }

    /// The names in an open directory and what they stand for.
    static func entries(of folder: Int32) throws -> [[UInt8]: Number] {
        var entries: [[UInt8]: Number] = [:]
        for name in try names(folder) {
            var status = stat()
            guard terminated(name, { fstatat(folder, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0
            else { continue }
            entries[name] = Number(status.st_ino)
        }
        return entries
    }
}
