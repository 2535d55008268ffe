import FleetWire
import Foundation
import Glibc
import SQLiteFile
import Testing

@testable import HostSnapshots

/// Stores of version 1 as they were written when the format was settled: every later version has to
/// open, list, verify and restore them. `BELAY_WRITE_GOLDEN=1` as root writes them anew.
@Suite struct GoldenTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden").path
    private static let id = PointID(unchecked: "20260102T030405006Z-0a0b0c0d")
    private static var isWritten: Bool {
        ProcessInfo.processInfo.environment["BELAY_WRITE_GOLDEN"] != nil
    }

    /// The golden store `name`, copied to where a test can use it.
    private func open(_ name: String, _ scratch: Scratch) throws -> PointStore {
        _ = try Scratch.run(["cp", "-r", Self.folder + "/" + name, scratch.path + "/points"])
        if name == "sealed" { try scratch.seal() }
        return try scratch.store()
    }

    @Test(arguments: ["plain", "sealed"])
    func aGoldenStoreIsOpenedListedAndVerified(name: String) throws {
        let scratch = try Scratch()
        let store = try open(name, scratch)
        let points = try store.list()
        #expect(points.map(\.id) == [Self.id])
        #expect(points.first?.reason == "golden")
        #expect(points.first?.components.map(\.driver) == ["files", "sqlite", "service"])
        #expect(try store.find("the-golden-one") == Self.id)
        #expect(try store.verify(Self.id) == [])
        #expect(try store.verify(Self.id, deep: true) == [])
        #expect(try store.scrub(pace: nil).findings == [])
        let text = try String(contentsOfFile: Self.folder + "/entries.txt", encoding: .utf8)
        #expect(try store.show(Self.id).entries.joined(separator: "\n") + "\n" == text)
        let kinds = Set(text.split(separator: "\n").compactMap(\.first))
        #expect(kinds == Set("?d-lpcbshqS"))
        #expect(try store.prune(PointRetention(count: 1)).removed.isEmpty)
        #expect(try store.verify(Self.id, deep: true) == [])
    }

    @Test(
        .enabled(if: geteuid() == 0, "only root can make devices and give files away"),
        arguments: ["plain", "sealed"])
    func aGoldenStoreIsRestored(name: String) throws {
        let scratch = try Scratch()
        let store = try open(name, scratch)
        mkdir(scratch.root + "/gone", 0o755)
        _ = try store.restore(point: Self.id)
        #expect(access(scratch.root + "/gone", F_OK) != 0)
        #expect(scratch.services.active == ["app"])
        let database = try SQLiteConnection(path: scratch.root + "/db")
        #expect(try database.query("SELECT a FROM t") == [[.integer(42)]])
        let view = try scratch.view("/tree")
        // What the view itself sees must be what is made anew, sockets aside.
        let other = try Scratch()
        try makeTree(other)
        unlink(other.root + "/tree/socket")
        _ = try Scratch.run(["touch", "-d", "@1700000000.123456789", other.root + "/tree"])
        let expected = try other.view("/tree").map {
            $0.replacingOccurrences(of: other.path, with: scratch.path)
        }
        #expect(view == expected)
    }

    @Test(.enabled(if: isWritten, "it only writes the fixture anew"))
    func theGoldenStoresAreWritten() throws {
        for name in ["plain", "sealed"] {
            let scratch = try Scratch()
            try makeTree(scratch)
            let database = try SQLiteConnection(path: scratch.root + "/db")
            try database.run(script: "CREATE TABLE t (a); INSERT INTO t VALUES (42)")
            scratch.services.active = ["app"]
            if name == "sealed" { try scratch.seal() }
            let store = try scratch.store()
            _ = try store.create(
                id: Self.id, at: Timestamp(milliseconds: 1_767_323_045_006),
                name: "the-golden-one", reason: "golden", rollout: RolloutID(unchecked: "r-1"),
                components: [
                    try files("/gone", "/tree", exclude: ["*.log"]),
                    ComponentSpec(
                        name: try HostSnapshotsTests.name("db"), driver: .sqlite(path: "/db"),
                        restart: false),
                    ComponentSpec(
                        name: try HostSnapshotsTests.name("service"),
                        driver: .service(ServiceControl(unit: "app")), restart: false),
                ])
            let text = try store.show(Self.id).entries.joined(separator: "\n") + "\n"
            let target = Self.folder + "/" + name
            _ = try Scratch.run(["mkdir", "-p", Self.folder])
            _ = try Scratch.run(["rm", "-rf", target])
            _ = try Scratch.run(["mkdir", target])
            for part in ["format", "packs", "points"] {
                _ = try Scratch.run(["cp", "-r", store.directory + "/" + part, target])
            }
            try Data(text.utf8).write(to: URL(fileURLWithPath: Self.folder + "/entries.txt"))
        }
    }

    /// A tree of every kind, the same wherever and whenever it is made.
    private func makeTree(_ scratch: Scratch) throws {
        let tree = scratch.root + "/tree"
        mkdir(tree, 0o755)
        mkdir(tree + "/folder", 0o755)
        try scratch.write("/tree/empty", "")
        try scratch.write("/tree/small", "some text\n")
        try scratch.write("/tree/text", String(repeating: "compressible text\n", count: 500))
        try scratch.write("/tree/folder/setuid", "#!/bin/sh\n")
        try scratch.write("/tree/excluded.log", "not captured")
        unlink(tree + "/excluded.log")
        link(tree + "/small", tree + "/zz-hard-link")
        symlink("nowhere", tree + "/dangling")
        mkfifo(tree + "/fifo", 0o600)
        mknod(tree + "/character", S_IFCHR | 0o600, 0x103)
        mknod(tree + "/block", S_IFBLK | 0o600, 0x700)
        try makeSocket(tree + "/socket")
        let sparse = Descriptor(Glibc.open(tree + "/sparse", O_RDWR | O_CREAT, 0o600))
        ftruncate(sparse.raw, 3 << 20)
        pwrite(sparse.raw, "in the middle", 13, 1 << 20)
        let bytes = Array((tree + "/").utf8) + [0xFF, 0x0A, 0x25]
        _ = withPath(bytes) { close(Glibc.open($0, O_RDWR | O_CREAT, 0o640)) }
        let long = tree + "/" + String(repeating: "n", count: 255)
        close(Glibc.open(long, O_RDWR | O_CREAT, 0o640))
        for path in [tree + "/folder", tree + "/small", tree + "/folder/setuid"] {
            chown(path, 12345, 54321)
        }
        chmod(tree + "/folder", 0o2775)
        chmod(tree + "/folder/setuid", 0o4755)
        chmod(tree + "/text", 0o644)
        let attributes = Descriptor(Glibc.open(tree + "/text", O_RDONLY))
        _ = try? Attributes.write(
            attributes, Entry.Attribute(name: Array("user.belay".utf8), value: [0, 1, 255]))
        _ = try Scratch.run(
            [
                "find", tree, "-depth", "-exec", "touch", "-h", "-d", "@1700000000.123456789", "{}",
                "+",
            ])
    }

    private func makeSocket(_ path: String) throws {
        let made = Descriptor(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let done = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard done == 0 else { throw TestFailure("bind") }
    }
}
