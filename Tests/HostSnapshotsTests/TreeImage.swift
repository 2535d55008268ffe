import CLinux
import Glibc

/// What a directory holds, in memory: read and written by plain system calls, so that what a test
/// believes owes nothing to the code under test.
struct TreeImage {
    /// An inode's number on the one file system that an image is of.
    typealias Number = UInt64

    struct Node {
        /// With the kind.
        var mode: mode_t
        var owner: uid_t
        var group: gid_t
        var modified: timespec
        var device: dev_t
        var attributes: [[UInt8]: [UInt8]] = [:]
        /// A regular file's bytes, a link's target.
        var content: [UInt8] = []
        /// The file takes less space than its size.
        var isSparse = false
        /// Of a directory.
        var entries: [[UInt8]: Number] = [:]

        var kind: mode_t { mode & S_IFMT }
    }

    var nodes: [Number: Node] = [:]
    var top: Number = 0

    init() {}

    /// Reads the directory `path` and all below it; links are not followed.
    init(reading path: String) throws {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let parent = open(String(path[..<slash]) + "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw TestFailure("open the parent of \(path): \(errno)") }
        defer { close(parent) }
        let name = Array(path[path.index(after: slash)...].utf8)
        guard let number = try add(parent, name) else { throw TestFailure("\(path) is missing") }
        top = number
    }

    // MARK: - Reading

    /// Adds `name` of the open directory `folder` with all below it. Nil if it is not there.
    private mutating func add(_ folder: Int32, _ name: [UInt8]) throws -> Number? {
        guard let (number, found) = try Self.read(folder, name) else { return nil }
        guard nodes[number] == nil else { return number }
        nodes[number] = found
        guard found.kind == S_IFDIR else { return number }
        let opened = terminated(name) {
            openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard opened >= 0 else { throw TestFailure("open \(name): \(errno)") }
        defer { close(opened) }
        for child in try Self.names(opened) {
            let inner = try add(opened, child)
            nodes[number]?.entries[child] = inner
        }
        return number
    }

    /// One thing without what a directory holds.
    static func read(_ folder: Int32, _ name: [UInt8]) throws -> (Number, Node)? {
        var found = stat()
        guard terminated(name, { fstatat(folder, $0, &found, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            return nil
        }
        var node = Node(
            mode: found.st_mode, owner: found.st_uid, group: found.st_gid,
            modified: found.st_mtim, device: found.st_rdev)
        let way = folder == AT_FDCWD ? [] : Array("/proc/self/fd/\(folder)/".utf8)
        node.attributes = attributes(way + name)
        if node.kind == S_IFREG {
            node.content = try content(folder, name, Int(found.st_size))
            node.isSparse = found.st_blocks * 512 < found.st_size
        } else if node.kind == S_IFLNK {
            var target = [UInt8](repeating: 0, count: 8192)
            let count = target.withUnsafeMutableBytes { room in
                terminated(name) {
                    readlinkat(folder, $0, room.bindMemory(to: CChar.self).baseAddress!, room.count)
                }
            }
            node.content = Array(target.prefix(max(0, count)))
        }
        return (Number(found.st_ino), node)
    }

    /// The names in an open directory, sorted.
    static func names(_ folder: Int32) throws -> [[UInt8]] {
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw TestFailure("list: \(errno)") }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let record = readdir(stream) {
            let name = withUnsafeBytes(of: &record.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func content(_ folder: Int32, _ name: [UInt8], _ size: Int) throws -> [UInt8] {
        let opened = terminated(name) {
            openat(folder, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        }
        guard opened >= 0 else { throw TestFailure("read \(name): \(errno)") }
        defer { close(opened) }
        return [UInt8](unsafeUninitializedCapacity: size) { room, count in
            while count < size {
                let got = pread(opened, room.baseAddress! + count, size - count, count)
                if got <= 0 { return }
                count += got
            }
        }
    }

    private static func attributes(_ path: [UInt8]) -> [[UInt8]: [UInt8]] {
        terminated(path) { path in
            var room = [CChar](repeating: 0, count: 65_536)
            let size = llistxattr(path, &room, room.count)
            guard size > 0 else { return [:] }
            var found: [[UInt8]: [UInt8]] = [:]
            for key in room.prefix(size).split(separator: 0) {
                var value = [UInt8](repeating: 0, count: 65_536)
                let count = lgetxattr(path, Array(key) + [0], &value, value.count)
                let name = key.map { UInt8(bitPattern: $0) }
                found[name] = count < 0 ? Array("errno \(errno)".utf8) : Array(value.prefix(count))
            }
            return found
        }
    }

    // MARK: - As text

    /// One line each for `path` (`/a/b`, below the top) and all below it, with all metadata; the
    /// names of one inode share the first of them.
    func lines(_ path: String = "") -> [String] {
        var number = top
        for name in path.split(separator: "/") {
            guard let next = nodes[number]?.entries[Array(name.utf8)] else { return [] }
            number = next
        }
        var lines: [String] = []
        var first: [Number: String] = [:]
        describe(number, path, &lines, &first)
        return lines
    }

    private func describe(
        _ number: Number, _ path: String, _ lines: inout [String], _ first: inout [Number: String]
    ) {
        guard let node = nodes[number] else { return }
        let name = first[number] ?? path
        first[number] = name
        var line = "\(path) \(String(node.mode, radix: 8)) \(node.owner):\(node.group)"
        line += " \(node.modified.tv_sec).\(node.modified.tv_nsec) device=\(node.device)"
        line += " first=\(name) size=\(node.content.count) hash=\(Self.hash(node.content))"
        line += node.isSparse ? " sparse" : ""
        for (key, value) in node.attributes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
        {
            line += " \(Self.text(key))=\(value)"
        }
        lines.append(line)
        for child in node.entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            describe(child.value, path + "/" + Self.text(child.key), &lines, &first)
        }
    }

    static func hash(_ bytes: [UInt8]) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    private static func text(_ name: [UInt8]) -> String {
        name.map { byte in
            if byte > 0x20, byte < 0x7F, byte != 0x25 { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (byte < 16 ? "0" : "") + digits
        }.joined()
    }
}

/// Calls `body` with `bytes` as a C string.
func terminated<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws -> Result
) rethrows -> Result {
    try (bytes + [0]).withUnsafeBytes {
        try body($0.bindMemory(to: CChar.self).baseAddress!)
    }
}
