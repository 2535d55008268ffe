import CLinux
import FleetWire
import Glibc

@testable import HostSnapshots

/// The small tree of the crash tests: one of each kind that the user may make, and what a failed
/// release may do to it.
enum CrashTree {
    /// What a sealed store must not show.
    static let secret = "kR7-vQ2x.Lm9 stands in a file of its own"

    static func spec() throws -> ComponentSpec { try files("/one", "/tree") }

    /// What lies beside the component, and shares an inode with it.
    static func makeNeighbour(_ root: String) throws {
        try folder(root + "/outside", 0o751)
        try file(root + "/outside/file", "outside", 0o604)
        try file(root + "/outside/shared", "shared", 0o664)
        symlink("file", root + "/outside/link")
        setxattr(root + "/outside/file", "user.k", "v", 1, 0)
        for name in ["file", "shared", ""] { date(root + "/outside/" + name, -5) }
    }

    static func make(_ root: String) throws {
        try makeNeighbour(root)
        let tree = root + "/tree"
        for name in ["", "/sub", "/sub/deep", "/empty"] { try folder(tree + name, 0o750) }
        try file(root + "/one", "one", 0o600)
        try file(tree + "/kept", "kept", 0o640)
        try file(tree + "/file", "old file", 0o4755)
        try file(tree + "/none", "", 0o644)
        try file(tree + "/large", String(repeating: "0123456789", count: 900), 0o444)
        try file(tree + "/sub/first", "linked", 0o644)
        try file(tree + "/sub/deep/bottom", "bottom", 0o600)
        try file(tree + "/becomes-folder", "file", 0o644)
        link(tree + "/sub/first", tree + "/second")
        link(tree + "/sub/first", tree + "/third")
        link(root + "/outside/shared", tree + "/shared")
        symlink("nowhere", tree + "/link")
        symlink("/outside/file", tree + "/absolute")
        mkfifo(tree + "/fifo", 0o620)
        let notText = Array(tree.utf8) + [0x2F, 0x74, 0xFF, 0xFE, 0x20]
        _ = terminated(notText) { mkdir($0, 0o700) }
        let sparse = open(tree + "/sparse", O_WRONLY | O_CREAT, 0o600)
        ftruncate(sparse, 40_000)
        pwrite(sparse, "data", 4, 20_000)
        close(sparse)
        setxattr(tree + "/file", "user.k", "old", 3, 0)
        setxattr(tree + "/sub", "user.folder", "f", 1, 0)
        if geteuid() == 0 {
            mknod(tree + "/device", S_IFCHR | 0o600, 0x103)
            chown(tree + "/kept", 3, 4)
            setxattr(tree + "/file", "trusted.k", "t", 1, 0)
        }
        for name in ["/sub/deep/bottom", "/sub/first", "/file", "/large", "/sub/deep", "/sub", ""] {
            date(tree + name, 1_000_000_000 + name.utf8.count)
        }
    }

    /// Changes the component in each way: content, metadata alone, kinds, links, names.
    static func change(_ root: String) throws {
        let tree = root + "/tree"
        unlink(root + "/one")
        chmod(tree + "/kept", 0o600)
        try replace(tree + "/file", "new file, and longer", 0o644)
        removexattr(tree + "/sub", "user.folder")
        setxattr(tree + "/empty", "user.more", "m", 1, 0)
        try replace(tree + "/large", "short", 0o644)
        unlink(tree + "/second")
        try file(tree + "/second", "no link any more", 0o600)
        unlink(tree + "/sub/deep/bottom")
        rmdir(tree + "/sub/deep")
        try file(tree + "/sub/deep", "a file now", 0o644)
        unlink(tree + "/becomes-folder")
        try folder(tree + "/becomes-folder", 0o755)
        try file(tree + "/becomes-folder/inner", "inner", 0o644)
        unlink(tree + "/link")
        symlink("elsewhere", tree + "/link")
        unlink(tree + "/fifo")
        symlink("/outside", tree + "/fifo")
        try folder(tree + "/added", 0o700)
        try file(tree + "/added/file", "added", 0o644)
        rename(tree + "/absolute", tree + "/empty/moved")
        chmod(tree + "/shared", 0o600)
        date(tree + "/sub", 5)
    }

    private static func folder(_ path: String, _ mode: mode_t) throws {
        guard mkdir(path, 0o700) == 0, chmod(path, mode) == 0 else { throw TestFailure(path) }
    }

    private static func replace(_ path: String, _ text: String, _ mode: mode_t) throws {
        unlink(path)
        try file(path, text, mode)
    }

    static func file(_ path: String, _ text: String, _ mode: mode_t) throws {
        let opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw TestFailure("create \(path): \(errno)") }
        defer { close(opened) }
        guard Glibc.write(opened, text, text.utf8.count) == text.utf8.count,
            fchmod(opened, mode) == 0
        else { throw TestFailure(path) }
    }

    private static func date(_ path: String, _ seconds: Int) {
        let time = timespec(tv_sec: seconds, tv_nsec: 123_456_789)
        utimensat(AT_FDCWD, path, [time, time], AT_SYMLINK_NOFOLLOW)
    }
}

extension CrashWorld.Outcome {
    /// The component, one line each.
    func component() -> [String] {
        image.lines("/root/one") + image.lines("/root/tree")
    }

    /// What no operation may touch.
    func neighbour() -> [String] { image.lines("/root/outside") }
}

extension TreeImage {
    /// Names that only a process that runs may leave.
    func scratchNames() -> [String] {
        lines().map { String($0.prefix { $0 != " " }) }.filter {
            $0.contains("/.belay~") || $0.contains("/packs/.") || $0.contains("/points/.")
                || $0.contains("/clones/.")
                || $0.hasPrefix("/points/tmp/")
        }
    }
}

extension CrashWorld {
    /// What is wrong with the store, as the next process finds it: it must open, and each point
    /// that it lists must be whole. Gives the ids too.
    func storeProblems() throws -> (points: [String], problems: [String]) {
        let store = try store()
        var problems: [String] = []
        let points = try store.list()
        for point in points {
            if point.reason.hasPrefix("DAMAGED") { problems.append("\(point.id): \(point.reason)") }
            problems += try store.verify(point.id, deep: true).map { "\(point.id): \($0)" }
        }
        return (points.map(\.id.rawValue), problems)
    }

    /// What is wrong after one more capture and a look at all that stands there.
    func nextCaptureProblems(_ specs: [ComponentSpec]) throws -> [String] {
        // It is another process that does it.
        try TreeImage.giveScratchToADeadProcess(below: scratch.path + "/points")
        let store = try store()
        let point = try take(store, "next", specs)
        var problems = try store.verify(point.id, deep: true).map { "next: \($0)" }
        problems += try TreeImage(reading: scratch.path).scratchNames().map { "\($0) is left over" }
        return problems
    }
}
