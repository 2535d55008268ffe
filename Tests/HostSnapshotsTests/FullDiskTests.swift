import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A disk that is full, or becomes full at any moment, and a spent quota: a capture or a restore ends
/// with an error that says so, nothing is lost, and once there is room it goes on.
@Suite struct FullDiskTests {
    private static let whyNot: Comment = "mounting a small file system needs root and its mkfs"

    private func change(_ folder: String, _ text: String) throws {
        for number in 0..<12 {
            unlink(folder + "/\(number)")
            var random = RandomTree(state: UInt64(number + text.utf8.count))
            let noise = (0..<40_000).map { _ in String(random.next(36), radix: 36) }.joined()
            try CrashTree.file(folder + "/\(number)", text + noise, 0o644)
        }
    }

    /// True for what says that there is no room.
    private func saysNoRoom(_ error: any Error) -> Bool {
        let text = "\(error)"
        return error is PointError
            && ["No space left", "free", "quota"].contains { text.contains($0) }
    }

    @Test(.enabled(if: LoopDisk.isAvailable("ext4"), whyNot))
    func aStoreWhoseDiskFillsAtAnyMomentLosesNothing() throws {
        let scratch = try Scratch()
        let disk = try LoopDisk("ext4", megabytes: 12, at: scratch.path + "/small", in: scratch)
        mkdir(scratch.root + "/tree", 0o755)
        try change(scratch.root + "/tree", "first")
        func store(_ calls: FileCalls = .system) throws -> PointStore {
            try PointStore(
                directory: disk.path + "/points", root: scratch.root, services: scratch.services,
                calls: calls)
        }
        let first = try take(store(), "p1", [files("/tree")])
        try change(scratch.root + "/tree", "second")
        var failed = 0
        for number in stride(from: 1, to: 100_000, by: CrashWorld.isExhaustive ? 1 : 23) {
            let layer = MomentLayer(number) { disk.fill() }
            let id = "a\(number)"
            do {
                _ = try take(store(FileCalls(layer)), id, [files("/tree")])
            } catch {
                failed += 1
                #expect(saysNoRoom(error), "full at call \(number): \(error)")
            }
            for point in try store().list() {
                #expect(try store().verify(point.id, deep: true).isEmpty, "at call \(number)")
            }
            #expect(try store().list().contains { $0.id == first.id }, "at call \(number)")
            disk.drain()
            // Each run begins with the first point alone.
            _ = try store().prune(
                keeping: PointRetention(), inUse: [],
                removing: Set(try store().list().map(\.id)).subtracting([first.id]),
                now: Timestamp(milliseconds: 1_700_000_000_124))
            if !layer.isReached { break }
        }
        #expect(failed > 1)
        _ = try take(store(), "last", [files("/tree")])
    }

    @Test(.enabled(if: LoopDisk.isAvailable("ext4"), whyNot))
    func aComponentWhoseDiskFillsAtAnyMomentIsOldOrNewAndComesBack() throws {
        let scratch = try Scratch()
        let disk = try LoopDisk("ext4", megabytes: 12, at: scratch.root + "/small", in: scratch)
        let tree = disk.path + "/tree"
        mkdir(tree, 0o755)
        try change(tree, "first")
        let store = try scratch.store()
        let first = try take(store, "p1", [files("/small/tree")])
        let before = try scratch.view("/small/tree")
        var failed = 0
        for number in stride(from: 1, to: 100_000, by: CrashWorld.isExhaustive ? 1 : 29) {
            try change(tree, "second")
            let layer = MomentLayer(number) { disk.fill() }
            do {
                _ = try PointStore(
                    directory: scratch.path + "/points", root: scratch.root,
                    services: scratch.services, calls: FileCalls(layer)
                ).restore(point: first.id)
            } catch {
                failed += 1
                #expect(saysNoRoom(error), "full at call \(number): \(error)")
            }
            let names = try scratch.view("/small/tree").filter { !$0.contains(".belay~") }
            #expect(names.count == before.count, "full at call \(number)")
            disk.drain()
            _ = try store.restore(point: first.id)
            #expect(try scratch.view("/small/tree") == before, "full at call \(number)")
            if !layer.isReached { break }
        }
        #expect(failed > 1)
    }

    @Test(.enabled(if: LoopDisk.isAvailable("ext4"), whyNot))
    func withEverLessRoomACaptureIsWholeOrRefused() throws {
        let scratch = try Scratch()
        let disk = try LoopDisk("ext4", megabytes: 12, at: scratch.path + "/small", in: scratch)
        mkdir(scratch.root + "/tree", 0o755)
        try change(scratch.root + "/tree", "only")
        var outcomes: [Bool] = []
        for left in stride(from: 3_000_000, through: 0, by: -120_000) {
            OpenFolder(Array(disk.path.utf8))?.erase(Array("points".utf8))
            disk.drain()
            disk.fill(leaving: left)
            do {
                let store = try PointStore(
                    directory: disk.path + "/points", root: scratch.root,
                    services: scratch.services)
                let point = try take(store, "p1", [files("/tree")])
                #expect(try store.verify(point.id, deep: true).isEmpty)
                outcomes.append(true)
            } catch {
                #expect(saysNoRoom(error), "\(left) bytes left: \(error)")
                outcomes.append(false)
            }
        }
        #expect(outcomes.first == true && outcomes.last == false, "\(outcomes)")
        #expect(outcomes == outcomes.sorted { $0 && !$1 }, "less room helped: \(outcomes)")
    }

    /// btrfs holds root too to the limit of a subvolume.
    @Test(
        .enabled(
            if: LoopDisk.isAvailable("btrfs") && access("/usr/bin/btrfs", X_OK) == 0, whyNot))
    func aSpentQuotaEndsARestoreWithItsNameAndNothingIsLost() throws {
        let scratch = try Scratch()
        let disk = try LoopDisk("btrfs", megabytes: 128, at: scratch.root + "/small", in: scratch)
        try Scratch.run(["btrfs", "quota", "enable", disk.path])
        try Scratch.run(["btrfs", "subvolume", "create", disk.path + "/sub"])
        let tree = disk.path + "/sub/tree"
        mkdir(tree, 0o755)
        try change(tree, "first")
        let store = try scratch.store()
        let first = try take(store, "p1", [files("/small/sub/tree")])
        let before = try scratch.view("/small/sub/tree")
        for kilobytes in stride(from: 640, to: 1100, by: CrashWorld.isExhaustive ? 16 : 128) {
            try change(tree, "second")
            try limit(disk, "\(kilobytes)K")
            var failure: (any Error)?
            do { _ = try store.restore(point: first.id) } catch { failure = error }
            if let failure {
                #expect(saysNoRoom(failure), "\(kilobytes) KiB: \(failure)")
            } else {
                #expect(kilobytes > 960, "\(kilobytes) KiB do not hold it twice")
            }
            let names = try scratch.view("/small/sub/tree").filter { !$0.contains(".belay~") }
            #expect(names.count == before.count, "\(kilobytes) KiB")
            try limit(disk, "none")
            _ = try store.restore(point: first.id)
            #expect(try scratch.view("/small/sub/tree") == before, "\(kilobytes) KiB")
        }
    }

    private func limit(_ disk: LoopDisk, _ size: String) throws {
        try Scratch.run(["sync", "-f", disk.path])
        try Scratch.run(["btrfs", "qgroup", "limit", size, disk.path + "/sub"])
    }
}
