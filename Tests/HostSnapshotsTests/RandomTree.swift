import CLinux
import Glibc

@testable import HostSnapshots

/// Trees of all kinds of entries and what may be done to them, from a seed.
///
/// Names that begin with `skip-` are for excludes: nothing outside of them shares an inode with them.
struct RandomTree {
    var state: UInt64
    /// Things that further names can be given to.
    private var named: [(folder: OpenFolder, name: [UInt8])] = []

    init(state: UInt64) { self.state = state == 0 ? 1 : state }

    mutating func next(_ below: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(below))
    }

    mutating func name() -> [UInt8] {
        switch next(20) {
        case 0: [0xFF, 0xFE, UInt8(next(200) + 40), 0x20, 0x25].map { $0 == 0x2F ? 0x30 : $0 }
        case 1: [UInt8](repeating: UInt8(0x61 + next(26)), count: 255)
        case 2: Array(".belay~0123456789abcde\(next(10))".utf8)
        case 3: Array([" ", "-rf", "a\nb", "\\", "*", "%2F", "..a", "~", "\u{E9}"][next(9)].utf8)
        case 4: Array("skip-\(next(4))".utf8)
        default: Array("n\(next(40))".utf8)
        }
    }

    // MARK: - Growing

    /// Adds entries below `path`.
    mutating func grow(_ path: [UInt8], depth: Int, count: Int) {
        guard let folder = OpenFolder(path) else { return }
        grow(folder, depth: depth, count: count, skipped: false)
        named = []
    }

    /// Adds many files to one directory, and directories so deep that no path reaches the last.
    mutating func growExtremes(_ path: [UInt8]) {
        guard let folder = OpenFolder(path) else { return }
        if let many = makeFolder(folder, Array("many".utf8)) {
            for number in 0..<400 { fill(many, Array("\(number)".utf8), size: number % 3) }
        }
        var deep = folder
        for _ in 0..<22 {
            guard let next = makeFolder(deep, [UInt8](repeating: 0x64, count: 200)) else { return }
            deep = next
        }
        grow(deep, depth: 3, count: 4, skipped: false)
        named = []
    }

    mutating func grow(_ folder: OpenFolder, depth: Int, count: Int, skipped: Bool) {
        for _ in 0..<count {
            let name = name()
            make(folder, name, depth, skipped || name.starts(with: Array("skip-".utf8)))
        }
    }

    private mutating func make(
        _ folder: OpenFolder, _ name: [UInt8], _ depth: Int, _ skipped: Bool
    ) {
        guard !folder.holds(name) else { return }
        let kind = next(15)
        switch kind {
        case 0...2 where depth < 3:
            guard let inner = makeFolder(folder, name) else { return }
            grow(inner, depth: depth + 1, count: next(7), skipped: skipped)
            return dress(folder, name)
        case 3:
            let targets = ["/nowhere/\(next(9))", "n1", "..", "/etc/passwd", "\u{1}x"]
            let target = targets[next(targets.count)]
            _ = terminated(name) { symlinkat(target, folder.raw, $0) }
            touch(folder, name)
        case 4:
            _ = terminated(name) { mknodat(folder.raw, $0, S_IFIFO | 0o640, 0) }
            dress(folder, name)
        case 5,
            6 where !skipped && !named.isEmpty:
            guard !skipped, !named.isEmpty else { return fill(folder, name) }
            let first = named[next(named.count)]
            _ = terminated(first.name) { from in
                terminated(name) { linkat(first.folder.raw, from, folder.raw, $0, 0) }
            }
        case 7 where geteuid() == 0:
            let type: mode_t = next(2) == 0 ? S_IFCHR : S_IFBLK
            let device = dev_t(0x100 + next(5))
            _ = terminated(name) { mknodat(folder.raw, $0, type | 0o600, device) }
            dress(folder, name)
        case 8: sparse(folder, name)
        case 9: bindSocket(folder, name)
        default:
            fill(folder, name)
            dress(folder, name)
        }
        if !skipped, kind != 9 { named = Array(named.suffix(5)) + [(folder, name)] }
    }

    func makeFolder(_ folder: OpenFolder, _ name: [UInt8]) -> OpenFolder? {
        guard terminated(name, { mkdirat(folder.raw, $0, 0o700) }) == 0 else { return nil }
        return folder.open(name)
    }

    mutating func fill(_ folder: OpenFolder, _ name: [UInt8], size: Int? = nil) {
        let opened = terminated(name) {
            openat(
                folder.raw, $0, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        }
        guard opened >= 0 else { return }
        let sizes = [0, 1, 10, 100, 100, 5000, 70_000, next(8) == 0 ? (1 << 20) + next(9) : 300]
        let count = size ?? sizes[next(sizes.count)]
        let bytes = [UInt8](repeating: UInt8(next(256)), count: count)
        _ = Glibc.write(opened, bytes, bytes.count)
        close(opened)
    }

    private mutating func sparse(_ folder: OpenFolder, _ name: [UInt8]) {
        let opened = terminated(name) { openat(folder.raw, $0, O_WRONLY | O_CREAT | O_EXCL, 0o600) }
        guard opened >= 0 else { return }
        ftruncate(opened, (1 << 20) + next(3) * 400_000)
        for _ in 0..<next(3) { _ = pwrite(opened, [1, 2, 3], 3, next(5) << 18) }
        close(opened)
    }

    private func bindSocket(_ folder: OpenFolder, _ name: [UInt8]) {
        let path = Array("/proc/self/fd/\(folder.raw)/".utf8) + name
        var address = sockaddr_un()
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        _ = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// A directory that is open while somebody holds it.
final class OpenFolder {
    let raw: Int32

    init?(_ path: [UInt8], in folder: Int32 = AT_FDCWD) {
        raw = terminated(path) { openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) }
        if raw < 0 { return nil }
    }

    deinit { close(raw) }

    func open(_ name: [UInt8]) -> OpenFolder? { OpenFolder(name, in: raw) }

    func status(of name: [UInt8]) -> stat? {
        var found = stat()
        let done = terminated(name) { fstatat(raw, $0, &found, AT_SYMLINK_NOFOLLOW) }
        return done == 0 ? found : nil
    }

    func holds(_ name: [UInt8]) -> Bool { status(of: name) != nil }

    func names() -> [[UInt8]] { (try? TreeImage.names(raw)) ?? [] }

    /// Removes `name` with all it holds.
    func erase(_ name: [UInt8]) {
        terminated(name) { cName in
            if unlinkat(raw, cName, 0) == 0 { return }
            if geteuid() != 0 {
                fchmod(raw, 0o700)
                if unlinkat(raw, cName, 0) == 0 { return }
                fchmodat(raw, cName, 0o700, 0)
            }
            if let inner = open(name) { for child in inner.names() { inner.erase(child) } }
            unlinkat(raw, cName, AT_REMOVEDIR)
        }
    }
}

extension Scratch {
    static func erase(_ path: [UInt8]) throws {
        let slash = path.lastIndex(of: 0x2F) ?? 0
        OpenFolder(Array(path[..<slash]))?.erase(Array(path[(slash + 1)...]))
    }
}
