import FleetWire
import Foundation
import Glibc
import Synchronization
import Testing

@testable import HostSnapshots

/// Progress moves within a large file, and a restore can be stopped within one.
@Suite(.timeLimit(.minutes(3))) struct ProgressTests {
    private static let blocks = 256
    private static let size = UInt64(blocks) << 20
    private let scratch: Scratch
    private let store: PointStore
    private let spec: ComponentSpec
    private var path: String { scratch.root + "/tree/large" }

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        spec = try files("/tree")
        mkdir(scratch.root + "/tree", 0o755)
        // Blocks that differ, so that each is stored.
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try #require(FileHandle(forWritingAtPath: path))
        var block = Data(repeating: 7, count: 1 << 20)
        for number in 0..<Self.blocks {
            block[0] = UInt8(number)
            try file.write(contentsOf: block)
        }
        try file.close()
    }

    private final class Seen {
        var all: [PointProgress] = []
        func bytes(_ phase: PointProgress.Phase) -> [UInt64] {
            all.filter { $0.phase == phase }.map(\.bytes.count)
        }
    }

    /// Some between nothing and all, never fewer than before, and all at the end.
    private func expectMoving(_ bytes: [UInt64], _ what: String) {
        #expect(bytes.contains { $0 > 0 && $0 < Self.size }, "\(what): \(bytes)")
        #expect(bytes == bytes.sorted(), "\(what): \(bytes)")
        #expect((bytes.last ?? 0) >= Self.size, "\(what): \(bytes)")
    }

    @Test("bytes move while one file is captured, looked at and written")
    func moving() throws {
        let seen = Seen()
        let point = try store.create(
            id: PointID(unchecked: "p1"), at: Timestamp(milliseconds: 0), reason: "test",
            rollout: nil, components: [spec], progress: { seen.all.append($0) })
        expectMoving(seen.bytes(.capturing), "capture")

        // Of the same size, so that it has to be read to know that it differs.
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seek(toOffset: Self.size - 1)
        try file.write(contentsOf: Data([8]))
        try file.close()
        seen.all = []
        _ = try store.restore(point: point.id) { seen.all.append($0) }
        expectMoving(seen.bytes(.checking), "look")
        expectMoving(seen.bytes(.restoring), "restore")
        #expect(try store.changes(point: point.id).isEmpty)
    }

    @Test("a restore ends within the file that it writes, and leaves nothing of it")
    func stopped() throws {
        let point = try take(store, "p1", [spec])
        unlink(path)
        let before = try scratch.view("/tree")
        let stop = Stop()
        var watched = store
        watched.watch.isStopped = { stop.isRaised }
        let seen = Seen()
        let error = #expect(throws: PointError.self) {
            try watched.restore(point: point.id) {
                seen.all.append($0)
                if $0.phase == .restoring { stop.raise() }
            }
        }
        #expect(error?.cause == "it was stopped")
        #expect((seen.bytes(.restoring).last ?? Self.size) < Self.size)
        #expect(try scratch.view("/tree") == before)
        _ = try store.restore(point: point.id)
        #expect(try store.changes(point: point.id).isEmpty)
    }

    private final class Stop: Sendable {
        private let flag = Atomic<Bool>(false)
        var isRaised: Bool { flag.load(ordering: .relaxed) }
        func raise() { flag.store(true, ordering: .relaxed) }
    }
}
