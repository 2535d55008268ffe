import CLinux
import Glibc

extension TreeImage {
    /// Writes all that the top holds into the empty directory `path`, and gives that directory the
    /// top's metadata. Throws if something cannot be made; owners are set as root alone.
    func write(to path: String) throws {
        let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0, let node = nodes[top] else { throw TestFailure("open \(path)") }
        defer { close(opened) }
        var places: [Number: [UInt8]] = [:]
        for (name, child) in node.entries {
            try make(child, opened, name, Array(path.utf8) + [0x2F] + name, &places)
        }
        try dress(node, AT_FDCWD, Array(path.utf8))
    }

    private func make(
        _ number: Number, _ folder: Int32, _ name: [UInt8], _ path: [UInt8],
        _ places: inout [Number: [UInt8]]
    ) throws {
        guard let node = nodes[number] else { return }
        if let first = places[number], node.kind != S_IFDIR {
            let done = terminated(first) { from in terminated(path) { link(from, $0) } }
            guard done == 0 else { throw TestFailure("link \(path): \(errno)") }
            return
        }
        places[number] = path
        switch node.kind {
        case S_IFDIR:
            let made = terminated(name) { mkdirat(folder, $0, 0o700) }
            let opened = terminated(name) { openat(folder, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            guard made == 0, opened >= 0 else { throw TestFailure("make \(path): \(errno)") }
            defer { close(opened) }
            for (name, child) in node.entries {
                try make(child, opened, name, path + [0x2F] + name, &places)
            }
        case S_IFREG: try fill(node, folder, name)
        case S_IFLNK:
            let made = terminated(node.content) { target in
                terminated(name) { symlinkat(target, folder, $0) }
            }
            guard made == 0 else { throw TestFailure("link \(path): \(errno)") }
        default:
            let made = terminated(name) { mknodat(folder, $0, node.mode, node.device) }
            guard made == 0 else { throw TestFailure("make \(path): \(errno)") }
        }
        try dress(node, folder, name)
    }

    private func fill(_ node: Node, _ folder: Int32, _ name: [UInt8]) throws {
        let opened = terminated(name) {
            openat(folder, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        guard opened >= 0 else { throw TestFailure("create \(name): \(errno)") }
        defer { close(opened) }
        let block = node.isSparse ? 4096 : max(1, node.content.count)
        var start = 0
        while start < node.content.count {
            let end = min(node.content.count, start + block)
            let part = node.content[start..<end]
            if !node.isSparse || part.contains(where: { $0 != 0 }) {
                let count = part.withUnsafeBytes { pwrite(opened, $0.baseAddress, $0.count, start) }
                guard count == end - start else { throw TestFailure("write \(name): \(errno)") }
            }
            start = end
        }
        ftruncate(opened, node.content.count)
    }

    private func dress(_ node: Node, _ folder: Int32, _ name: [UInt8]) throws {
        let way = folder == AT_FDCWD ? [] : Array("/proc/self/fd/\(folder)/".utf8)
        try terminated(name) { cName in
            if geteuid() == 0 {
                _ = fchownat(folder, cName, node.owner, node.group, AT_SYMLINK_NOFOLLOW)
            }
            for (key, value) in node.attributes {
                let done = terminated(way + name) { path in
                    terminated(key) { lsetxattr(path, $0, value, value.count, 0) }
                }
                guard done == 0 else { throw TestFailure("set \(key): \(errno)") }
            }
            if node.kind != S_IFLNK { _ = fchmodat(folder, cName, node.mode & 0o7777, 0) }
            let times = [node.modified, node.modified]
            _ = utimensat(folder, cName, times, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// Removes all that the directory `path` holds.
    static func empty(_ path: [UInt8]) throws {
        let opened = terminated(path) {
            open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard opened >= 0 else { throw TestFailure("open \(path): \(errno)") }
        defer { close(opened) }
        try empty(opened)
    }

    private static func empty(_ folder: Int32) throws {
        for name in try names(folder) {
            try terminated(name) { cName in
                if unlinkat(folder, cName, 0) == 0 { return }
                var inner = openat(folder, cName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                if inner < 0 {
                    fchmodat(folder, cName, 0o700, 0)
                    inner = openat(folder, cName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                }
                guard inner >= 0 else { throw TestFailure("remove \(name): \(errno)") }
                defer { close(inner) }
                if geteuid() != 0 { fchmod(inner, 0o700) }
                try empty(inner)
                guard unlinkat(folder, cName, AT_REMOVEDIR) == 0 else {
                    throw TestFailure("remove \(name): \(errno)")
                }
            }
        }
    }
}
