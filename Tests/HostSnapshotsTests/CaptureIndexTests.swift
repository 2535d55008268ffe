import FleetWire
import Foundation
import Glibc
import Synchronization
import Testing

@testable import HostSnapshots

/// Counts calls, and lets all of them through.
final class CountingCalls: FileCallInterposer {
    private let counts = Mutex<[FileCall.Kind: Int]>([:])

    func fate(of call: FileCall) -> FileCallFate {
        counts.withLock { $0[call.kind, default: 0] += 1 }
        return .made
    }

    func count(_ kind: FileCall.Kind) -> Int { counts.withLock { $0[kind] ?? 0 } }
}

@Suite struct CaptureIndexTests {
    /// Waits until what stands there lies back so far that the index believes it.
    private func settle() {
        let begun = wallClockNanoseconds()
        let deadline = ContinuousClock.now + .seconds(10)
        while wallClockNanoseconds() - begun <= SnapshotLimits.settledNanoseconds,
            ContinuousClock.now < deadline
        {
            usleep(10_000)
        }
    }

    private func state(_ scratch: Scratch, _ spec: ComponentSpec, index: Bool) throws -> ObjectID {
        let store = try scratch.store()
        let reader = try store.reader(HashingSink(), index ? store.index() : nil)
        return Catalogue.state(of: try reader.entries(of: spec))
    }

    @Test func whatDidNotChangeIsNeitherOpenedNorReadNorAreItsAttributesAskedFor() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/t", 0o755)
        for number in 0..<50 { try scratch.write("/t/\(number)", "file \(number)") }
        symlink("0", scratch.root + "/t/link")
        link(scratch.root + "/t/0", scratch.root + "/t/zero")
        let spec = try files("/t")
        settle()
        let first = try take(scratch.store(), "p1", [spec])
        let calls = CountingCalls()
        let watched = try PointStore(
            directory: scratch.path + "/points", root: scratch.root, services: scratch.services,
            calls: FileCalls(calls))
        let opened = calls.count(.open)
        let second = try take(watched, "p2", [spec])
        #expect(calls.count(.readAttribute) == 0)
        #expect(calls.count(.readLink) == 0)
        // The tree's one directory, and files of the store.
        #expect(calls.count(.open) - opened < 45)
        #expect(calls.count(.look) > 50)
        let states = try ["p1", "p2"].map {
            try watched.manifest(PointID(unchecked: $0)).0.components[0].state
        }
        #expect(states[0] == states[1])
        #expect(first.components == second.components)
        let before = calls.count(.readAttribute)
        _ = try watched.create(
            id: PointID(unchecked: "p3"), at: Timestamp(milliseconds: 0), reason: "",
            rollout: nil, components: [spec], rereads: true)
        #expect(calls.count(.readAttribute) - before >= 51)
    }

    @Test func everyKindOfChangeIsSeenThroughTheIndex() throws {
        let scratch = try Scratch()
        for folder in ["/t", "/t/a", "/t/b"] { mkdir(scratch.root + folder, 0o755) }
        for file in ["/t/a/1", "/t/a/2", "/t/b/1", "/t/b/2", "/t/v", "/t/w", "/t/x", "/t/z"] {
            try scratch.write(file, file)
        }
        link(scratch.root + "/t/a/1", scratch.root + "/t/b/one")
        let spec = try files("/t")
        let root = scratch.root
        let changes: [(String, () throws -> Void)] = [
            ("content", { try scratch.write("/t/a/2", "other!") }),
            ("mode", { chmod(root + "/t/b/1", 0o600) }),
            (
                "attribute",
                {
                    let folder = Descriptor(open(root + "/t", O_RDONLY | O_DIRECTORY))
                    try Attributes.write(
                        folder, Array("z".utf8),
                        Entry.Attribute(name: Array("user.x".utf8), value: [1]))
                }
            ),
            ("added", { try scratch.write("/t/a/new", "") }),
            ("removed", { unlink(root + "/t/b/2") }),
            // The second name becomes the first, with no change to its inode.
            ("folder renamed", { rename(root + "/t/a", root + "/t/c") }),
            ("link added", { link(root + "/t/x", root + "/t/b/y") }),
            (
                "same size and time",
                {
                    var found = stat()
                    stat(root + "/t/w", &found)
                    try scratch.write("/t/w", "/t/u")
                    let times = [found.st_mtim, found.st_mtim]
                    utimensat(AT_FDCWD, root + "/t/w", times, 0)
                }
            ),
            (
                "replaced by a folder",
                {
                    unlink(root + "/t/v"); mkdir(root + "/t/v", 0o755)
                }
            ),
        ]
        var number = 0
        // Each change is to something else, which has settled.
        settle()
        for (what, change) in changes {
            number += 1
            _ = try take(scratch.store(), "p\(number)", [spec])
            let before = try state(scratch, spec, index: false)
            #expect(try state(scratch, spec, index: true) == before, "before \(what)")
            try change()
            let after = try state(scratch, spec, index: false)
            #expect(after != before, "\(what)")
            #expect(try state(scratch, spec, index: true) == after, "\(what)")
        }
    }

    @Test func anIndexThatIsDamagedAnywhereCountsAsChanged() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/t", 0o755)
        for number in 0..<4 { try scratch.write("/t/\(number)", "file \(number)") }
        let spec = try files("/t")
        settle()
        _ = try take(scratch.store(), "p1", [spec])
        let state = try state(scratch, spec, index: false)
        let folder = scratch.path + "/points/unchanged/"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == 1)
        let file = URL(fileURLWithPath: folder + (names.first ?? ""))
        let whole = try Data(contentsOf: file)
        for offset in whole.indices {
            var damaged = whole
            damaged[offset] ^= 0xFF
            try damaged.write(to: file)
            #expect(try self.state(scratch, spec, index: true) == state, "at \(offset)")
            try whole.prefix(offset).write(to: file)
            #expect(try self.state(scratch, spec, index: true) == state, "cut at \(offset)")
        }
    }

    @Test func anIndexIsNotBelievedAboutObjectsWhosePackIsGone() throws {
        let scratch = try Scratch()
        try scratch.write("/a", "content")
        let spec = try files("/a")
        settle()
        let store = try scratch.store()
        _ = try take(store, "p1", [spec])
        for pack in try store.files.names(in: "packs") { store.files.remove("packs/" + pack) }
        let second = try take(store, "p2", [spec])
        #expect(try store.verify(second.id).isEmpty)
        _ = try take(store, "p3", [spec])
        #expect(try store.verify(PointID(unchecked: "p3")).isEmpty)
    }

    @Test func thePathsOfAComponentComeInTheOrderOfNames() throws {
        let scratch = try Scratch()
        for folder in ["/a", "/a.b", "/a/x"] { mkdir(scratch.root + folder, 0o755) }
        for file in ["/a.b/1", "/a/x/1", "/a-"] { try scratch.write(file, "x") }
        let spec = try files("/a.b", "/a-", "/a/x")
        let paths = try scratch.store().reader(HashingSink(), nil).entries(of: spec).map(\.path)
        #expect(paths.map(printable) == ["/a/x", "/a/x/1", "/a-", "/a.b", "/a.b/1"])
        #expect(paths == paths.sorted(by: PathOrder.precedes))
    }
}
