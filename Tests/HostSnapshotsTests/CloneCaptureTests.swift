import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// Where the file system can clone, large files are neither copied into the store nor out of it;
/// where it cannot, nothing is different.
@Suite struct CloneCaptureTests {
    private static let whyNot: Comment =
        "mounting a file system that clones needs root and its mkfs, and loop devices"
    private static let size = 40 << 20
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Mounts a file system of `kind` with the tree and the store on it.
    private func disk(_ kind: String) throws -> LoopDisk {
        let disk = try LoopDisk(kind, megabytes: 400, at: scratch.root + "/disk", in: scratch)
        mkdir(disk.path + "/tree", 0o755)
        return disk
    }

    private func store(_ disk: LoopDisk, _ calls: FileCalls = .system) throws -> PointStore {
        try PointStore(
            directory: disk.path + "/points", root: scratch.root, services: scratch.services,
            calls: calls)
    }

    /// Bytes that no compression makes fewer, the same for the same seed.
    private func noise(_ count: Int, _ seed: UInt64) -> Data {
        var random = RandomTree(state: seed)
        var data = Data(capacity: count)
        for _ in 0..<count / 8 {
            withUnsafeBytes(of: UInt64(random.next(1 << 62)) &* 0x9E37_79B9_7F4A_7C15) {
                data.append(contentsOf: $0)
            }
        }
        return data
    }

    private func write(_ path: String, _ data: Data, at offset: UInt64 = 0) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw TestFailure("create \(path)") }
        defer { close(file) }
        let done = data.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(offset)) }
        guard done == data.count, fsync(file) == 0 else { throw TestFailure("write \(path)") }
    }

    private func used(_ disk: LoopDisk) throws -> Int {
        try Scratch.run(["sync", "-f", disk.path])
        var room = statvfs()
        statvfs(disk.path, &room)
        return Int(room.f_blocks - room.f_bfree) * Int(room.f_frsize)
    }

    private func clones(_ disk: LoopDisk) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: disk.path + "/points/clones").sorted()
    }

    /// A large file, a sparse one with something at both ends, and one too small to be cloned.
    private func fill(_ disk: LoopDisk) throws {
        try write(disk.path + "/tree/large", noise(Self.size, 1))
        try write(disk.path + "/tree/sparse", noise(300_000, 2))
        try write(disk.path + "/tree/sparse", noise(8_000, 3), at: 30 << 20)
        guard truncate(disk.path + "/tree/sparse", 50 << 20) == 0 else {
            throw TestFailure("truncate")
        }
        try write(disk.path + "/tree/small", noise(60_000, 4))
    }

    private func blocks(_ path: String) -> Int {
        var found = stat()
        return stat(path, &found) == 0 ? Int(found.st_blocks) * 512 : -1
    }

    private func keepsAndGivesBack(_ kind: String) throws {
        let disk = try disk(kind)
        try fill(disk)
        let before = try used(disk)
        let spec = try files("/disk/tree")
        let view = try scratch.view("/disk/tree")
        let first = try take(store(disk), "p1", [spec])
        #expect(try clones(disk).count == 2)
        #expect(try used(disk) - before < 4 << 20)
        #expect(try store(disk).verify(first.id, deep: true) == [])
        #expect(try scratch.view("/disk/tree") == view)

        // The same content again, and under another name: no clone more.
        try Scratch.run([
            "cp", "--reflink=never", "-p", disk.path + "/tree/large", disk.path + "/x",
        ])
        rename(disk.path + "/x", disk.path + "/tree/again")
        _ = try take(store(disk), "p2", [spec])
        #expect(try clones(disk).count == 2)
        unlink(disk.path + "/tree/again")

        // One chunk differs: of the new clone that chunk alone is named.
        try write(disk.path + "/tree/large", noise(4096, 9), at: 5 << 20)
        try write(disk.path + "/tree/sparse", noise(4096, 10), at: 10 << 20)
        let changed = try scratch.view("/disk/tree")
        let third = try take(store(disk), "p3", [spec])
        #expect(try clones(disk).count == 4)
        for (point, expected) in [(first, view), (third, changed), (first, view)] {
            let before = try used(disk)
            _ = try store(disk).restore(point: point.id)
            #expect(
                try withoutFolderTimes(scratch.view("/disk/tree")) == withoutFolderTimes(expected))
            #expect(try used(disk) - before < 6 << 20)
            #expect(blocks(disk.path + "/tree/sparse") < 3 << 20)
        }
    }

    /// What else stood in the tree for a while changed the time of the folder above.
    private func withoutFolderTimes(_ lines: [String]) -> [String] {
        lines.filter { !$0.hasPrefix("/ ") }
    }

    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot))
    func btrfsSharesWhatIsKeptAndGivenBack() throws { try keepsAndGivesBack("btrfs") }

    @Test(.enabled(if: LoopDisk.isAvailable("xfs"), whyNot))
    func xfsSharesWhatIsKeptAndGivenBack() throws { try keepsAndGivesBack("xfs") }

    /// The file is larger than what is free: copies of it would never fit, clones do.
    private func fitsWhereCopiesWouldNot(_ kind: String) throws {
        let disk = try disk(kind)
        let path = disk.path + "/tree/large"
        try write(path, noise(Self.size, 1))
        // What is written is not counted before it lies somewhere; what is reserved is.
        try Scratch.run(["sync", "-f", disk.path])
        try Scratch.run([
            "fallocate", "-l", "\(disk.free - Self.size * 3 / 4)", disk.path + "/filler",
        ])
        try Scratch.run(["sync", "-f", disk.path])
        try #require(disk.free < Self.size)
        let spec = try files("/disk/tree")
        let view = try scratch.view("/disk/tree")
        let point = try take(store(disk), "p1", [spec])
        #expect(try clones(disk).count == 1)
        try write(path, noise(4096, 9), at: 5 << 20)
        try Scratch.run(["sync", "-f", disk.path])
        try #require(disk.free < Self.size)
        _ = try store(disk).restore(point: point.id)
        #expect(try scratch.view("/disk/tree") == view)
        #expect(disk.free > Self.size / 2)
    }

    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot))
    func btrfsHasRoomForClonesWhereCopiesWouldNotFit() throws {
        try fitsWhereCopiesWouldNot("btrfs")
    }

    @Test(.enabled(if: LoopDisk.isAvailable("xfs"), whyNot))
    func xfsHasRoomForClonesWhereCopiesWouldNotFit() throws { try fitsWhereCopiesWouldNot("xfs") }

    @Test(
        .enabled(if: LoopDisk.isAvailable("btrfs") && LoopDisk.isAvailable("ext4"), whyNot))
    func aStoreElsewhereHasToHaveRoomForCopiesOfWhatCannotBeClonedIntoIt() throws {
        let disk = try disk("btrfs")
        try write(disk.path + "/tree/large", noise(20 << 20, 1))
        try write(disk.path + "/tree/small", noise(60_000, 4))
        let small = try Scratch()
        let narrow = try LoopDisk("ext4", megabytes: 12, at: small.path + "/narrow", in: small)
        let store = try PointStore(
            directory: narrow.path + "/points", root: scratch.root, services: scratch.services)
        do {
            _ = try take(store, "p1", [files("/disk/tree")])
            Issue.record("it was captured")
        } catch let error as PointError {
            #expect("\(error)".contains("the rollback point can take"), "\(error)")
        }
        #expect(try store.list().isEmpty)
    }

    @Test(.enabled(if: LoopDisk.isAvailable("ext4"), whyNot))
    func whereNothingCanBeClonedItIsCopied() throws {
        let disk = try disk("ext4")
        try fill(disk)
        let view = try scratch.view("/disk/tree")
        let point = try take(store(disk), "p1", [files("/disk/tree")])
        #expect(try clones(disk) == [])
        try write(disk.path + "/tree/large", noise(4096, 9), at: 5 << 20)
        _ = try store(disk).restore(point: point.id)
        #expect(try scratch.view("/disk/tree") == view)
    }

    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot))
    func anEncryptedStoreMakesNoClones() throws {
        let disk = try disk("btrfs")
        try write(disk.path + "/tree/large", noise(1 << 20, 1))
        let key = scratch.path + "/key"
        guard
            FileManager.default.createFile(
                atPath: key, contents: noise(32, 5), attributes: [.posixPermissions: 0o600])
        else { throw TestFailure("write the key") }
        _ = try store(disk)
        try Data(#"{"key_file":"\#(key)"}"#.utf8).write(
            to: URL(fileURLWithPath: disk.path + "/points/settings.json"))
        chmod(disk.path + "/points/settings.json", 0o600)
        let point = try take(store(disk), "p1", [files("/disk/tree")])
        #expect(try clones(disk) == [])
        #expect(try store(disk).verify(point.id, deep: true) == [])
    }

    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot), arguments: [true, false])
    func aDamagedOrMissingCloneIsFoundBeforeAnythingChanges(isMissing: Bool) throws {
        let disk = try disk("btrfs")
        try write(disk.path + "/tree/large", noise(3 << 20, 1))
        let point = try take(store(disk), "p1", [files("/disk/tree")])
        try write(disk.path + "/tree/large", noise(3 << 20, 2))
        let changed = try scratch.view("/disk/tree")
        let clone = disk.path + "/points/clones/" + (try clones(disk).first ?? "none")
        if isMissing { unlink(clone) } else { try write(clone, noise(4096, 3), at: 2 << 20) }
        #expect(try store(disk).verify(point.id, deep: true).count == (isMissing ? 3 : 1))
        #expect(throws: PointError.self) { try store(disk).restore(point: point.id) }
        #expect(try scratch.view("/disk/tree") == changed)
    }

    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot))
    func clonesGoWithTheLastPointThatNeedsThem() throws {
        let disk = try disk("btrfs")
        let spec = try files("/disk/tree")
        try write(disk.path + "/tree/large", noise(1 << 20, 1))
        _ = try take(store(disk), "p1", [spec])
        let old = try clones(disk)
        try write(disk.path + "/tree/large", noise(1 << 20, 2))
        let second = try take(store(disk), "p2", [spec])
        _ = try store(disk).prune(
            keeping: PointRetention(), inUse: [], removing: [PointID(unchecked: "p1")],
            now: Timestamp(milliseconds: 1_700_000_000_124))
        let left = try clones(disk)
        #expect(left.count == 1 && left != old)
        #expect(try store(disk).verify(second.id, deep: true) == [])
    }

    /// Whatever fails and whenever a capture dies: the store opens, its points are whole, and no
    /// clone is left that nobody owns.
    @Test(.enabled(if: LoopDisk.isAvailable("btrfs"), whyNot), arguments: [Fault.fails, .stops])
    func aCaptureThatIsCutLeavesNoCloneBehind(fault: Fault) throws {
        let disk = try disk("btrfs")
        let spec = try files("/disk/tree")
        try write(disk.path + "/tree/large", noise(300_000, 1))
        for number in 1..<10_000 {
            let layer = try FaultLayer(fault, at: number, below: disk.path)
            let done = (try? take(store(disk, FileCalls(layer)), "p1", [spec])) != nil
            if case .stops = fault { try buryScratch(disk) }
            let next = try store(disk)
            for point in try next.list() {
                #expect(try next.verify(point.id, deep: true) == [], "at call \(number)")
            }
            if done { #expect(try next.list().count == 1, "at call \(number)\n\(layer.trace)") }
            let ids = Set(try next.list().map(\.id))
            // The next capture of the same must not believe in anything that went.
            let again = try take(next, "p2", [spec])
            #expect(try next.verify(again.id, deep: true) == [], "at call \(number)")
            try write(disk.path + "/tree/large", noise(300_000, UInt64(number + 2)))
            _ = try take(next, "p3", [spec])
            _ = try next.prune(
                keeping: PointRetention(), inUse: [], removing: ids.union([again.id]),
                now: Timestamp(milliseconds: 1_700_000_000_124))
            #expect(try clones(disk).count == 1, "at call \(number)\n\(layer.trace)")
            #expect(try next.verify(PointID(unchecked: "p3"), deep: true) == [])
            try Scratch.run(["rm", "-rf", disk.path + "/points"])
            if !layer.isReached { return }
        }
        Issue.record("the capture never ended")
    }

    /// What a process left that is gone bears the id of one that is gone: here the test lives on.
    private func buryScratch(_ disk: LoopDisk) throws {
        for folder in ["packs", "clones", "points", "tmp"] {
            let path = disk.path + "/points/" + folder
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            where name.hasSuffix(".\(getpid())") {
                rename(
                    path + "/" + name, path + "/" + name.dropLast("\(getpid())".count) + "4194999")
            }
        }
    }
}
