import CLinux
import Glibc

@testable import HostSnapshots

/// Trees of all kinds of entries, from a seed.
struct RandomTree {
    var state: UInt64

    mutating func next(_ below: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(below))
    }

    mutating func name() -> [UInt8] {
        switch next(12) {
        case 0: [0xFF, 0xFE, UInt8(next(200) + 40), 0x20, 0x25]
        case 1: [UInt8](repeating: UInt8(0x61 + next(26)), count: 255)
        default: Array("n\(next(40))".utf8)
        }
    }

    /// Adds entries below `path`.
    mutating func grow(_ path: [UInt8], depth: Int, count: Int) {
        var regular: [[UInt8]] = []
        for _ in 0..<count {
            let child = path + [0x2F] + name()
            switch next(11) {
            case 0 where depth < 3, 1 where depth < 3:
                if withPath(child, { mkdir($0, 0o700) }) == 0 {
                    grow(child, depth: depth + 1, count: next(7))
                    dress(child)
                }
            case 2:
                _ = withPath(Array("/nowhere/\(next(9))".utf8)) { to in
                    withPath(child) { symlink(to, $0) }
                }
            case 3: _ = withPath(child) { mkfifo($0, 0o640) }
            case 4:
                if let first = regular.last {
                    _ = withPath(first) { from in withPath(child) { link(from, $0) } }
                }
            case 5 where geteuid() == 0:
                _ = withPath(child) { mknod($0, S_IFCHR | 0o600, 0x103) }
            case 6:
                sparse(child)
                regular.append(child)
            default:
                fill(child)
                dress(child)
                regular.append(child)
            }
        }
    }

    /// Changes what is below `path`.
    mutating func mutate(_ path: [UInt8]) throws {
        let opened = withPath(path) { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) }
        guard opened >= 0 else { return }
        for name in try Descriptor(opened).names() {
            let child = path + [0x2F] + name
            switch next(9) {
            case 0: try Scratch.erase(child)
            case 1:
                try Scratch.erase(child)
                fill(child)
            case 2:
                try Scratch.erase(child)
                _ = withPath(child) { mkdir($0, 0o755) }
                grow(child, depth: 2, count: 4)
            case 3:
                try Scratch.erase(child)
                _ = withPath(Array("/etc".utf8)) { to in withPath(child) { symlink(to, $0) } }
            case 4: dress(child)
            default: try mutate(child)
            }
        }
        grow(path, depth: 2, count: next(4))
    }

    private mutating func fill(_ path: [UInt8]) {
        let opened = withPath(path) {
            open($0, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        }
        guard opened >= 0 else { return }
        let sizes = [0, 1, 100, 5000, 1 << 20, (1 << 20) + 7]
        let bytes = [UInt8](repeating: UInt8(next(256)), count: sizes[next(sizes.count)])
        _ = Glibc.write(opened, bytes, bytes.count)
        close(opened)
    }

    private mutating func sparse(_ path: [UInt8]) {
        let opened = withPath(path) { open($0, O_WRONLY | O_CREAT | O_EXCL, 0o600) }
        guard opened >= 0 else { return }
        ftruncate(opened, 3 << 20)
        _ = pwrite(opened, [1, 2, 3], 3, (next(5)) << 19)
        close(opened)
    }

    private mutating func dress(_ path: [UInt8]) {
        var found = stat()
        guard withPath(path, { lstat($0, &found) }) == 0, found.st_mode & S_IFMT != S_IFLNK else {
            return
        }
        let isDirectory = found.st_mode & S_IFMT == S_IFDIR
        let modes: [mode_t] =
            isDirectory ? [0o755, 0o1777, 0o2750] : [0o644, 0o4755, 0o400, 0o600, 0o2711]
        if geteuid() == 0 {
            _ = withPath(path) { chown($0, uid_t(next(3)), gid_t(next(3))) }
        }
        let slash = path.lastIndex(of: 0x2F) ?? 0
        let parent = Descriptor(
            withPath(Array(path[..<slash])) { open($0, O_RDONLY | O_DIRECTORY) })
        if found.st_mode & S_IFMT == S_IFREG || isDirectory {
            try? Attributes.write(
                parent, Array(path[(slash + 1)...]),
                Entry.Attribute(name: Array("user.k\(next(3))".utf8), value: [0, UInt8(next(200))]))
        }
        let mode = modes[next(modes.count)]
        _ = withPath(path) { chmod($0, mode) }
        let times = [
            timespec(tv_sec: 1, tv_nsec: 1),
            timespec(tv_sec: 1_000_000 + next(1_000_000), tv_nsec: next(1_000_000_000)),
        ]
        _ = withPath(path) { utimensat(AT_FDCWD, $0, times, AT_SYMLINK_NOFOLLOW) }
    }
}

extension Scratch {
    static func erase(_ path: [UInt8]) throws {
        let opened = withPath(path) { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK) }
        guard opened >= 0 else {
            _ = withPath(path) { unlink($0) }
            return
        }
        for name in try Descriptor(opened).names() { try erase(path + [0x2F] + name) }
        _ = withPath(path) { rmdir($0) }
    }
}
