import FleetWire
import Glibc
import Synchronization
import Testing

@testable import HostSnapshots

/// Syncs ahead of the one that counts.
struct EarlySyncTests {
    /// Counts syncs of whole file systems and lets each fail.
    private final class Counter: FileCallInterposer {
        let syncs = Atomic<Int>(0)

        func fate(of call: FileCall) -> FileCallFate {
            guard call.kind == .syncFileSystem else { return .made }
            syncs.add(1, ordering: .relaxed)
            return .failed(EIO)
        }
    }

    @Test("Enough bytes are synced ahead on another descriptor, fewer are not, and it ends")
    func syncs() throws {
        let counter = Counter()
        let opened = Glibc.open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let folder = Descriptor(try #require(opened >= 0 ? opened : nil), FileCalls(counter))
        let early = try #require(EarlySync(of: folder))
        early.start()
        early.wrote(SnapshotLimits.earlySyncBytes - 1)
        #expect(counter.syncs.load(ordering: .relaxed) == 0)
        early.wrote(1)
        let deadline = ContinuousClock.now + .seconds(20)
        while counter.syncs.load(ordering: .relaxed) == 0, ContinuousClock.now < deadline {
            sched_yield()
        }
        early.stop()
        #expect(counter.syncs.load(ordering: .relaxed) == 1)
        early.wrote(SnapshotLimits.earlySyncBytes)
        #expect(counter.syncs.load(ordering: .relaxed) == 1, "it works on after its end")
    }
}
