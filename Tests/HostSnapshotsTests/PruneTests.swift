import FleetWire
import Foundation
import Glibc
import Synchronization
import Testing

@testable import HostSnapshots

@Suite struct PruneTests {
    /// Points `p1` to `p<count>` of different noise, a second apart.
    private func points(_ scratch: Scratch, _ count: Int) throws -> PointStore {
        let store = try scratch.store()
        for number in 1...count {
            try scratch.noise(UInt64(number))
            try point(store, "p\(number)", at: Int64(number))
        }
        return store
    }

    private func whole(_ store: PointStore) throws {
        for id in try store.ids() { #expect(try store.verify(id, deep: true) == []) }
    }

    @Test func theDefaultRemovesOnlyWhatIsOldAndUnnamedAndHasTenNewerOfItsComponents() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try point(store, "p00", at: 0)
        try point(store, "p01", at: 1, name: "kept")
        try point(store, "p02", at: 2, rollout: "r1")
        let other = ComponentSpec(
            name: ComponentName(unchecked: "other"), driver: try files("/tree").driver,
            restart: false)
        _ = try store.create(
            id: PointID(unchecked: "p03"), at: Timestamp(milliseconds: 3000), reason: "test",
            rollout: nil, components: [other])
        for number in 10..<20 { try point(store, "p\(number)", at: Int64(number)) }
        let young = DefaultRetention.age.count / 1000
        #expect(DefaultRetention.keepsAll(try store.list(), now: Timestamp(milliseconds: 0)))
        #expect(try store.prune(nil, at: young).removed.isEmpty)
        let late = young + 100
        #expect(
            !DefaultRetention.keepsAll(
                try store.list(), now: Timestamp(milliseconds: late * 1000)))
        let summary = try store.prune(nil, inUse: ["p02"], at: late)
        #expect(summary.removed.map(\.id.rawValue) == ["p00"])
        #expect(summary.protected.map(\.id.rawValue) == ["p02"])
        #expect(try store.names().prefix(3) == ["p01", "p02", "p03"])
        #expect(try store.prune(PointRetention(), at: late).removed.isEmpty)
        try whole(store)
    }

    @Test func countAgeAndBytesEachRemoveTheOldestAndWhatOnlyTheyNeeded() throws {
        let limits: [(PointRetention, Int64, [String])] = [
            (PointRetention(), 9, ["p1", "p2", "p3", "p4"]),
            (PointRetention(count: 2), 9, ["p3", "p4"]),
            (PointRetention(age: .seconds(6)), 9, ["p3", "p4"]),
            (PointRetention(bytes: ByteCount(25_500)), 9, ["p3", "p4"]),
            (PointRetention(count: 3, age: .seconds(5)), 9, ["p4"]),
            (PointRetention(bytes: ByteCount(1)), 9, ["p4"]),
            (PointRetention(age: .seconds(1)), 99, ["p4"]),
        ]
        for (policy, now, left) in limits {
            let scratch = try Scratch()
            let store = try points(scratch, 4)
            let before = try scratch.packs
            let plan = try store.prune(policy, at: now, dryRun: true)
            #expect(try store.names().count == 4)
            #expect(try scratch.packs == before)
            let summary = try store.prune(policy, at: now)
            #expect(summary.removed == plan.removed)
            #expect(summary.freed == plan.freed)
            #expect(try store.names() == left, "\(policy)")
            #expect(try Set(scratch.packs).isSubset(of: before))
            #expect((try scratch.packs == before) == summary.removed.isEmpty)
            #expect(summary.deferred.isEmpty)
            #expect(try store.prune(policy, at: now).collected == 0)
            try whole(store)
        }
    }

    @Test func pointsInUseTheLastGoodOneAndTheNewestOfARolloutInUseStay() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for (number, rollout) in ["r1", "r1", "r1", "r2", "r2"].enumerated() {
            try scratch.noise(UInt64(number))
            try point(store, "p\(number)", at: Int64(number), rollout: rollout)
        }
        let summary = try store.prune(PointRetention(age: .seconds(1)), inUse: ["p0"], at: 99)
        #expect(try store.names() == ["p0", "p2", "p4"])
        #expect(summary.protected.map(\.id.rawValue) == ["p0", "p2", "p4"])
        #expect(summary.kept == 3)
        #expect(throws: PointError.self) {
            try store.prune(PointRetention(), inUse: ["p0"], removing: ["p0"])
        }
        let all = ["p2", "p4"]
        #expect(throws: PointError.self) {
            try store.prune(PointRetention(), removing: ["p0"] + all)
        }
        #expect(try store.names() == ["p0", "p2", "p4"])
        #expect(throws: PointError.self) { try store.prune(PointRetention(), removing: ["p9"]) }
        // The newest may go by its name while another good one stays.
        #expect(try store.prune(PointRetention(), removing: ["p2", "p4"]).removed.count == 2)
        #expect(try store.names() == ["p0"])
        try whole(store)
    }

    @Test func aDamagedNewestPointDoesNotCostTheLastGoodOne() throws {
        let scratch = try Scratch()
        let store = try points(scratch, 3)
        let table = try scratch.packs
        // The pack of p3 is the one that neither p1 nor p2 needs.
        let pack = try #require(
            table.first { name in
                rename(scratch.packPath(name), scratch.path + "/aside")
                defer { rename(scratch.path + "/aside", scratch.packPath(name)) }
                return (try? store.verify(PointID(unchecked: "p3")).isEmpty) == false
            })
        rename(scratch.packPath(pack), scratch.path + "/aside")
        let summary = try store.prune(PointRetention(count: 1), at: 9)
        #expect(try store.names() == ["p2", "p3"])
        // What p3 needs is not known, so nothing is collected.
        #expect(summary.deferred.count == 1 && summary.collected == 0)
        rename(scratch.path + "/aside", scratch.packPath(pack))
        try whole(store)
        #expect(try store.prune(PointRetention(count: 1), at: 9).deferred.isEmpty)
        #expect(try store.names() == ["p3"])
        #expect(try scratch.packs == [pack])
    }

    @Test func aDamagedManifestStaysUntilItIsNamedAndHoldsOffTheCollection() throws {
        let scratch = try Scratch()
        let store = try points(scratch, 3)
        let manifest = scratch.path + "/points/points/p1.json"
        let packs = try scratch.packs
        try scratch.flip(manifest, 90)
        let summary = try store.prune(PointRetention(count: 1, age: .seconds(1)), at: 99)
        #expect(try store.names() == ["p1", "p3"])
        #expect(summary.deferred.count == 1)
        #expect(try scratch.packs == packs)
        try scratch.flip(manifest, 90)
        #expect(try store.verify(PointID(unchecked: "p1"), deep: true) == [])
        try scratch.flip(manifest, 90)
        let named = try store.prune(PointRetention(), removing: ["p1"])
        #expect(named.removed.map(\.reason) == ["named"])
        #expect(named.collected > 0 && named.collected < packs.count)
        try whole(store)
    }

    @Test func aPackWithLittleThatIsNeededIsWrittenAnewAndTheRestIsLeftAsItIs() throws {
        let scratch = try Scratch()
        try scratch.noise(1, files: 20)
        let store = try scratch.store()
        try point(store, "p1", at: 1)
        let first = try scratch.packs
        // Two of twenty files stay: the pack of the first point holds mostly garbage then.
        for index in 2..<20 { unlink(scratch.root + "/tree/\(index)") }
        try point(store, "p2", at: 2)
        let summary = try store.prune(PointRetention(count: 1))
        #expect(summary.freed.count > 40_000)
        #expect(try !scratch.packs.contains(first[0]))
        try whole(store)
        let packs = try scratch.packs
        #expect(try store.prune(PointRetention(count: 1)).collected == 0)
        #expect(try scratch.packs == packs)
    }

    @Test func whilePointsAreReadOrRestoredNothingIsRemoved() throws {
        let scratch = try Scratch()
        let store = try points(scratch, 3)
        var summary = PruneSummary()
        _ = try store.show(PointID(unchecked: "p1")) { _, _ in
            summary = try store.prune(PointRetention(count: 1))
            return false
        }
        #expect(summary.deferred.count == 1 && summary.removed.isEmpty && summary.kept == 3)
        try store.locked("restore.lock") {
            summary = try store.prune(PointRetention(count: 1))
        }
        #expect(summary.deferred.count == 1 && summary.removed.isEmpty)
        #expect(try store.names().count == 3)
        #expect(try store.prune(PointRetention(count: 1)).removed.count == 2)
    }

    @Test func aPruneThatStopsAtAnyCallLosesNothingAndTheNextOneFinishes() throws {
        let scratch = try Scratch()
        try scratch.noise(1, files: 20, bytes: 300)
        let store = try scratch.store()
        try point(store, "p1", at: 1)
        for index in 2..<20 { unlink(scratch.root + "/tree/\(index)") }
        try point(store, "p2", at: 2)
        try scratch.noise(2, files: 2, bytes: 300)
        try point(store, "p3", at: 3)
        _ = try Scratch.run(["cp", "-a", scratch.path + "/points", scratch.path + "/saved"])
        var finished = false
        var number = 0
        while !finished {
            number += 1
            let stopping = StoppingCalls(after: number)
            let dying = try? PointStore(
                directory: store.directory, root: scratch.root, services: scratch.services,
                calls: FileCalls(stopping))
            let summary = try? dying?.prune(PointRetention(count: 2))
            finished = summary != nil && !stopping.hasStopped
            let next = try scratch.store()
            for id in try next.ids() {
                #expect(try next.verify(id, deep: true) == [], "stopped at call \(number)")
            }
            #expect(try next.ids().suffix(2).map(\.rawValue) == ["p2", "p3"])
            #expect(try next.prune(PointRetention(count: 2)).deferred.isEmpty)
            #expect(try next.names() == ["p2", "p3"])
            try whole(next)
            #expect(try next.prune(PointRetention(count: 2)).collected == 0)
            let left = try FileManager.default.contentsOfDirectory(
                atPath: store.directory + "/packs")
            #expect(left.allSatisfy { !$0.hasPrefix(".") || $0.hasSuffix(".\(getpid())") })
            _ = try Scratch.run(["rm", "-rf", store.directory])
            _ = try Scratch.run(["cp", "-a", scratch.path + "/saved", store.directory])
        }
        #expect(number > 15)
    }

    @Test func capturesRestoresAndReadersGoOnWhilePrunesRun() throws {
        let scratch = try Scratch()
        try scratch.noise(0)
        let store = try scratch.store()
        try point(store, "p000", at: 0)
        let root = scratch.root
        let isDone = Atomic<Bool>(false)
        let failures = Mutex<[String]>([])
        func work(_ body: @escaping @Sendable () throws -> Void) -> Thread {
            let thread = Thread {
                while !isDone.load(ordering: .acquiring) {
                    do { try body() } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
            thread.start()
            return thread
        }
        let prunes = Atomic<Int>(0)
        let reads = Atomic<Int>(0)
        let threads = [
            work {
                let summary = try store.prune(PointRetention(count: 2), at: 9)
                if !summary.removed.isEmpty { prunes.add(1, ordering: .relaxed) }
            },
            work {
                guard let last = try store.ids().last else { throw TestFailure("no point is left") }
                do {
                    let found = try store.verify(last, deep: true)
                    if !found.isEmpty { throw TestFailure("\(last): \(found)") }
                    reads.add(1, ordering: .relaxed)
                } catch let error as PointError where error.attempt == "find" {}
            },
        ]
        for number in 1...40 {
            let text = "\(number)" + String(repeating: "x", count: number)
            try Data(text.utf8).write(to: URL(fileURLWithPath: root + "/tree/0"))
            let id = number < 10 ? "p00\(number)" : "p0\(number)"
            try point(store, id, at: Int64(number))
            try Data("other".utf8).write(to: URL(fileURLWithPath: root + "/tree/0"))
            _ = try store.restore(point: PointID(unchecked: id))
            #expect(try String(contentsOfFile: root + "/tree/0", encoding: .utf8) == text)
        }
        isDone.store(true, ordering: .releasing)
        for thread in threads { while !thread.isFinished { usleep(1000) } }
        #expect(failures.withLock { $0 } == [])
        #expect(prunes.load(ordering: .relaxed) > 0 && reads.load(ordering: .relaxed) > 0)
        try whole(store)
        #expect(try store.prune(PointRetention(count: 1), at: 99).deferred.isEmpty)
        #expect(try store.names() == ["p040"])
        try whole(store)
    }
}

/// Makes the first calls that change something and no call after them: the process died there.
final class StoppingCalls: FileCallInterposer, @unchecked Sendable {
    // Used by one thread of one test.
    private var left: Int
    private(set) var hasStopped = false

    init(after count: Int) { left = count }

    func fate(of call: FileCall) -> FileCallFate {
        if call.changes || call.kind == .sync { left -= 1 }
        guard left > 0 else {
            hasStopped = true
            return .failed(EIO)
        }
        return .made
    }
}

/// Objects that lie in clone files are read there, and clone files go when no pack names them.
@Suite struct CloneTests {
    private func clone(_ store: PointStore, _ name: UInt8, _ bytes: [UInt8]) throws -> ObjectID {
        let file = ObjectID(hashing: [name])
        try Data(bytes).write(
            to: URL(fileURLWithPath: store.directory + "/clones/" + file.digest.hex))
        return file
    }

    /// A manifest of the point `id` with one file of these chunks of one clone.
    private func point(
        _ store: PointStore, _ id: String, at seconds: Int64, _ chunks: [(ObjectID, ObjectID, Int)]
    ) throws {
        let assembler = PackAssembler(store.files, RecordCodecs(keyed: .plain))
        var entry = Entry(kind: .regular, path: Array("/tree/big".utf8))
        for (id, file, offset) in chunks {
            var place = file.bytes
            place.append(number: UInt64(offset))
            let record = PackRecord(id: id, codec: .clone, raw: 1000, stored: 40, offset: 0)
            try assembler.add(record, place)
            entry.chunks.append(id)
        }
        entry.size = UInt64(chunks.count * 1000)
        let catalogue = Catalogue.encode([entry])
        var buffer: [UInt8] = []
        let object = ObjectID(hashing: catalogue)
        let record = try catalogue.withUnsafeBytes {
            try ObjectCodec.plain.append(
                object, codec: .raw, raw: catalogue.count, $0, to: &buffer, at: 0)
        }
        try assembler.add(record, catalogue)
        try assembler.finish()
        let part = Manifest.Component(
            spec: try files("/tree"), entries: 1, bytes: ByteCount(entry.size),
            state: Catalogue.state(of: [entry]).digest, catalogue: [object.digest])
        let manifest = Manifest(
            version: 1, id: PointID(unchecked: id), at: Timestamp(milliseconds: seconds * 1000),
            reason: "test", components: [part])
        try store.files.replace("points", "\(id).json", try manifest.encoded())
    }

    @Test func clonesAreReadCheckedAndCollected() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let chunks = (0..<3).map {
            ObjectID(hashing: Array(bytes[($0 * 1000)..<($0 * 1000 + 1000)]))
        }
        let one = try clone(store, 1, bytes)
        let two = try clone(store, 2, bytes)
        try point(store, "p1", at: 1, [(chunks[0], one, 0), (chunks[1], one, 1000)])
        try point(store, "p2", at: 2, [(chunks[2], two, 2000)])
        for id in try store.ids() { #expect(try store.verify(id, deep: true) == []) }
        #expect(try store.scrub(pace: nil).findings == [])
        _ = try store.prune(PointRetention())
        #expect(try store.files.names(in: "clones").count == 2)
        let summary = try store.prune(PointRetention(count: 1))
        #expect(summary.collected == 2)
        #expect(try store.files.names(in: "clones") == [two.digest.hex])
        #expect(try store.verify(PointID(unchecked: "p2"), deep: true) == [])
        let path = store.directory + "/clones/" + two.digest.hex
        try scratch.flip(path, 2100)
        #expect(try store.verify(PointID(unchecked: "p2"), deep: true).count == 1)
        #expect(try store.scrub(pace: nil).findings.count == 1)
        unlink(path)
        #expect(try store.verify(PointID(unchecked: "p2"), deep: true).count == 1)
    }
}
