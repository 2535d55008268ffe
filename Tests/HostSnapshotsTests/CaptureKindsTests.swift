import CLinux
import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct CaptureKindsTests {
    /// Whether the file system of temporary directories keeps the flags of `chattr`.
    private static let hasFlags: Bool = {
        guard geteuid() == 0, let scratch = try? Scratch(),
            (try? scratch.write("/probe", "x")) != nil,
            (try? Scratch.run(["chattr", "+i", scratch.root + "/probe"])) != nil
        else { return false }
        return (try? Scratch.run(["chattr", "-i", scratch.root + "/probe"])) != nil
    }()

    @Test(.enabled(if: hasFlags, "immutable files need root, chattr and a file system with flags"))
    func immutableAndAppendOnlyEntriesAreCapturedAndReported() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/t", 0o755)
        for file in ["/t/a", "/t/b", "/t/c"] { try scratch.write(file, file) }
        let t = scratch.root + "/t/"
        defer { _ = try? Scratch.run(["chattr", "-ia", t + "a", t + "b", t + "c"]) }
        try Scratch.run(["chattr", "+i", t + "b"])
        try Scratch.run(["chattr", "+i", t + "c"])
        try Scratch.run(["chattr", "+a", t + "a"])
        let store = try scratch.store()
        let spec = try files("/t")
        let point = try take(store, "p1", [spec])
        let part = try #require(try store.manifest(point.id).0.components.first)
        #expect(part.notes?.count == 2)
        #expect(part.notes?.first?.hasPrefix("2 entries are immutable, first /t/b") ?? false)
        #expect(part.notes?.last?.hasPrefix("1 entry is append-only, first /t/a") ?? false)
        let entries = try store.points.catalogue(
            part, store.objects(of: store.manifest(point.id).0))
        #expect(
            entries.map { $0.flags & 12 } == [
                0, Entry.appendOnly, Entry.immutable, Entry.immutable,
            ])
        // The flag is not the state: it is not given back.
        let state = try store.stateDigest([spec])
        try Scratch.run(["chattr", "-i", t + "c"])
        #expect(try store.stateDigest([spec]) == state)
    }

    @Test(.enabled(if: geteuid() == 0, "mounting needs root"))
    func whatIsMountedWithinIsEnteredOnlyWhenAsked() throws {
        let scratch = try Scratch()
        for folder in ["/t", "/t/disk", "/t/bound", "/other"] {
            mkdir(scratch.root + folder, 0o755)
        }
        try scratch.write("/other/file", "x")
        let disk = scratch.root + "/t/disk"
        let bound = scratch.root + "/t/bound"
        try Scratch.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk])
        defer { _ = try? Scratch.run(["umount", disk]) }
        // The same file system again: its device says nothing.
        try Scratch.run(["mount", "--bind", scratch.root + "/other", bound])
        defer { _ = try? Scratch.run(["umount", bound]) }
        try scratch.write("/t/disk/file", "y")
        let reader = try scratch.store().reader(HashingSink(), nil)
        var spec = try files("/t")
        let left = try reader.entries(of: spec)
        #expect(left.map { printable($0.path) } == ["/t", "/t/bound", "/t/disk"])
        #expect(left.map { $0.flags & Entry.mountPoint } == [0, 2, 2])
        spec.crossMounts = true
        let entered = try reader.entries(of: spec)
        #expect(
            entered.map { printable($0.path) }
                == ["/t", "/t/bound", "/t/bound/file", "/t/disk", "/t/disk/file"])
        #expect(entered.allSatisfy { $0.flags & Entry.mountPoint == 0 })
        // A component's own path may be a mount point.
        let own = try reader.entries(of: files("/t/disk"))
        #expect(own.map { printable($0.path) } == ["/t/disk", "/t/disk/file"])
    }

    @Test func aDirectoryOfManyEntriesIsCapturedInOrder() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/t", 0o755)
        for number in 0..<3000 { try scratch.write("/t/\(number * 7919 % 3000)", "") }
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/t")])
        #expect(point.components[0].entries == 3001)
        let (manifest, _) = try store.manifest(point.id)
        let paths = try store.points.catalogue(manifest.components[0], store.objects(of: manifest))
            .map(
                \.path)
        #expect(paths == paths.sorted(by: PathOrder.precedes))
        #expect(Set(paths).count == 3001)
    }

    @Test(.enabled(if: geteuid() != 0, "root can read everything"))
    func aFileThatCannotBeReadIsNamedWithWhatToDo() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/t", 0o755)
        try scratch.write("/t/secret", "x")
        chmod(scratch.root + "/t/secret", 0)
        let store = try scratch.store()
        let error = #expect(throws: PointError.self) {
            _ = try take(store, "p1", [try files("/t")])
        }
        #expect(error?.subject == "/t/secret")
        #expect(error?.remedy.contains("root") ?? false)
        #expect(try store.files.names(in: "packs").isEmpty)
    }

    @Test(.enabled(if: geteuid() == 0, "only root may always read without it"))
    func readingAFileDoesNotChangeWhenItWasLastRead() throws {
        let scratch = try Scratch()
        try scratch.write("/a", "x")
        let old = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 2000, tv_nsec: 0)]
        utimensat(AT_FDCWD, scratch.root + "/a", old, 0)
        _ = try take(scratch.store(), "p1", [try files("/a")])
        var found = stat()
        stat(scratch.root + "/a", &found)
        #expect(found.st_atim.tv_sec == 1000)
    }

    @Test func aMoreThanFourGibibyteLongHoleCostsNothing() throws {
        let scratch = try Scratch()
        let file = open(scratch.root + "/hole", O_WRONLY | O_CREAT, 0o600)
        ftruncate(file, 5 << 30)
        _ = pwrite(file, "end", 3, (5 << 30) - 3)
        close(file)
        let store = try scratch.store()
        let point = try take(store, "p1", [try files("/hole")])
        #expect(point.components[0].bytes == ByteCount(5 << 30))
        let (manifest, _) = try store.manifest(point.id)
        let entries = try store.points.catalogue(
            manifest.components[0], store.objects(of: manifest))
        #expect(entries[0].chunks.count == 5120)
        #expect(entries[0].chunks.count { $0 != .zeros } == 1)
        #expect(entries[0].flags & Entry.sparse != 0)
    }
}
