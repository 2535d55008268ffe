import FleetWire
import Foundation
import Glibc
import Synchronization
import Testing

@testable import HostSnapshots

/// A capture that is stopped ends at the next entry or block and leaves nothing.
@Suite struct StopTests {
    private final class Stop: Sendable {
        let asked = Atomic<Int>(0)
        let limit: Int
        init(after limit: Int) { self.limit = limit }
        var isRaised: Bool { asked.add(1, ordering: .relaxed).newValue > limit }
    }

    private func capture(_ store: PointStore, _ stop: Stop) throws {
        _ = try store.create(
            id: PointID(unchecked: "p1"), at: Timestamp(milliseconds: 0), reason: "test",
            rollout: nil, components: [try files("/tree")], isStopped: { stop.isRaised })
    }

    private func isEmpty(_ scratch: Scratch) throws -> Bool {
        try ["packs", "clones", "points", "tmp"].allSatisfy {
            try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/points/" + $0)
                .isEmpty
        }
    }

    @Test(
        "many entries or one large file: what stood until the stop is gone",
        arguments: [0, 1, 7, 90])
    func stopped(after limit: Int) throws {
        for isLarge in [false, true] {
            let scratch = try Scratch()
            let store = try scratch.store()
            mkdir(scratch.root + "/tree", 0o755)
            if isLarge {
                // Blocks that differ, so that each is stored.
                var bytes = Data(count: 64 << 20)
                for block in 0..<64 { bytes[block << 20] = UInt8(block + 1) }
                try bytes.write(to: URL(fileURLWithPath: scratch.root + "/tree/large"))
            } else {
                for number in 0..<400 { try scratch.write("/tree/\(number)", "file \(number)") }
            }
            let stop = Stop(after: limit)
            let error = #expect(throws: PointError.self) { try capture(store, stop) }
            #expect(error?.cause == "it was stopped")
            // Each thread asks once more at most, then the capture ends.
            #expect(stop.asked.load(ordering: .relaxed) <= limit + 8)
            #expect(try isEmpty(scratch))
            #expect(try store.list().isEmpty)
            let never = Stop(after: .max)
            try capture(store, never)
            #expect(never.asked.load(ordering: .relaxed) > 90)
            #expect(try store.verify(PointID(unchecked: "p1"), deep: true) == [])
        }
    }
}
