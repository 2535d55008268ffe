import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct RepairTests {
    /// The records of a pack of a sound store.
    private func records(_ scratch: Scratch, _ name: String) throws -> [PackRecord] {
        let path = scratch.packPath(name)
        return try PackFormat.records(of: Descriptor(open(path, O_RDONLY)), path: path)
    }

    private func isWhole(_ store: PointStore) throws -> Bool {
        try store.ids().allSatisfy { try store.verify($0, deep: true).isEmpty }
    }

    @Test(arguments: [false, true])
    func aDamagedObjectIsFoundByAScrubAndComesBackFromTheLiveFile(isSealed: Bool) throws {
        let scratch = try Scratch()
        if isSealed { try scratch.encrypt() }
        try scratch.noise(1)
        let store = try scratch.store()
        let id = try point(scratch.alone(), "p1")
        let pack = try #require(try scratch.packs.first)
        let bad = try records(scratch, pack)[1]
        try scratch.flip(scratch.packPath(pack), Int(bad.offset) + 20)
        var reported: [ScrubFinding] = []
        let state = try store.scrub(pace: nil, report: { reported.append($0) })
        #expect(state.findings == reported && reported.map(\.object) == [bad.id.digest])
        #expect(state.ended != nil)
        #expect(try store.scrubState() == state)
        #expect(try store.verify(id) == [])
        #expect(try store.verify(id, deep: true).count == 1)
        let summary = try store.repair()
        #expect(summary.repaired == [bad.id.digest] && summary.lost.isEmpty)
        #expect(summary.rewritten == 1 && summary.deferred.isEmpty)
        #expect(try isWhole(store))
        #expect(try store.scrubState()?.findings == [])
        #expect(try store.scrub(pace: nil).findings == [])
        #expect(try scratch.packs.count == 1)
    }

    /// A broken sector at a sealed record's beginning takes its key's identifier with it: it must not
    /// pass for another key's record, which would be left alone for ever.
    @Test func aSealedRecordWhoseKeyCannotBeToldIsOursIfAnyInItsPackIs() throws {
        let scratch = try Scratch()
        try scratch.encrypt()
        try scratch.noise(1)
        let store = try scratch.store()
        let id = try point(scratch.alone(), "p1")
        let pack = try #require(try scratch.packs.first)
        let bad = try records(scratch, pack)[1]
        for offset in 0..<64 { try scratch.flip(scratch.packPath(pack), Int(bad.offset) + offset) }
        #expect(try store.scrub(pace: nil).findings.map(\.object) == [bad.id.digest])
        let found = try store.verify(id, deep: true)
        #expect(found.count == 1 && found[0].contains("its seal is broken"), "\(found)")
        let summary = try store.repair()
        #expect(summary.repaired == [bad.id.digest] && summary.lost.isEmpty)
        #expect(summary.rewritten == 1 && summary.deferred.isEmpty, "\(summary)")
        #expect(try isWhole(store))
        #expect(try scratch.packs.count == 1)
    }

    @Test func whereEachIdentifierOfAKeyIsDamagedNothingIsLost() throws {
        let scratch = try Scratch()
        try scratch.encrypt()
        try scratch.noise(1)
        let store = try scratch.store()
        let id = try point(scratch.alone(), "p1")
        let before = try scratch.view("/tree")
        let pack = try #require(try scratch.packs.first)
        let good = try Data(contentsOf: URL(fileURLWithPath: scratch.packPath(pack)))
        for record in try records(scratch, pack) {
            try scratch.flip(scratch.packPath(pack), Int(record.offset) + 3)
        }
        let findings = try store.scrub(pace: nil).findings
        #expect(findings.count == 1 && findings[0].problem.contains("identifier"), "\(findings)")
        unlink(scratch.root + "/tree/0")
        _ = try store.restore(point: id)
        #expect(try scratch.view("/tree") == before)
        _ = try Scratch.run(["rm", "-r", scratch.root + "/tree"])
        let summary = try store.repair()
        #expect(summary.lost.isEmpty && summary.deferred.isEmpty && summary.rewritten == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.packPath(pack))) == good)
        #expect(try store.scrubState()?.findings == [])
        #expect(try store.verify(id, deep: true) == [])
    }

    @Test func packsOfAnotherKeyAreLeftAlone() throws {
        let scratch = try Scratch()
        try scratch.encrypt()
        try scratch.noise(1)
        let id = try point(scratch.store(), "p1")
        let packs = try scratch.packs
        try scratch.encrypt("other")
        let summary = try scratch.store().repair()
        #expect(summary.deferred.count == packs.count && summary.rewritten == 0)
        #expect(summary.deferred.allSatisfy { $0.contains("it is sealed with key") })
        #expect(try scratch.packs == packs)
        #expect(summary.lost.count == 1 && summary.lost[0].contains("\(id)"))
    }

    @Test func whatNoLiveFileHoldsIsLostAndTheNextCaptureOfItMakesThePointWhole() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        let file = scratch.root + "/tree/2"
        let store = try scratch.store()
        let id = try point(scratch.alone(), "p1")
        let content = try Data(contentsOf: URL(fileURLWithPath: file))
        let object = ObjectID(hashing: Array(content))
        let pack = try #require(try scratch.packs.first)
        let bad = try #require(try records(scratch, pack).first { $0.id == object })
        try scratch.flip(scratch.packPath(pack), Int(bad.offset))
        try Data("another".utf8).write(to: URL(fileURLWithPath: file))
        let summary = try store.repair()
        #expect(summary.repaired.isEmpty && summary.lost.count == 1)
        #expect(summary.lost.first?.contains("/tree/2") == true)
        #expect(try store.verify(id).count == 1)
        #expect(throws: PointError.self) { try store.restore(point: id) }
        try content.write(to: URL(fileURLWithPath: file))
        try point(scratch.alone(), "p2")
        #expect(try isWhole(store))
    }

    @Test func aLostTableIsBuiltAgainAndEverythingBetweenIsReadable() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        try scratch.write("/tree/text", String(repeating: "compressible ", count: 1000))
        let store = try scratch.store()
        let id = try point(scratch.alone(), "p1")
        let pack = try #require(try scratch.packs.first)
        let good = try Data(contentsOf: URL(fileURLWithPath: scratch.packPath(pack)))
        let count = try records(scratch, pack).count
        let before = try scratch.view("/tree")
        let table = good.count - 44 - 49 * count
        let damages = [
            good.prefix(table), good.prefix(table + 60), good.prefix(good.count - 1),
            good.prefix(table) + Data(repeating: 0, count: good.count - table),
            good + Data("more".utf8),
        ]
        for bytes in damages {
            try Data(bytes).write(to: URL(fileURLWithPath: scratch.packPath(pack)))
            #expect(try store.verify(id, deep: true).count == 1)
            try scratch.write("/tree/text", "changed")
            _ = try store.restore(point: id)
            #expect(try scratch.view("/tree") == before)
            #expect(try store.prune(PointRetention(count: 1)).deferred.count == 1)
            #expect(try store.scrub(pace: nil).findings.count == 1)
            let summary = try store.repair()
            #expect(summary.rewritten == 1 && summary.lost.isEmpty && summary.repaired.isEmpty)
            #expect(try isWhole(store))
            #expect(try scratch.packs == [pack])
            #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.packPath(pack))) == good)
        }
    }

    @Test func anObjectThatTwoPacksHoldIsReadFromTheWholeOne() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        let store = try scratch.store()
        let id = try point(scratch.alone(), "p1")
        let pack = try #require(try scratch.packs.first)
        // The same objects in another order make a pack of another name.
        let codecs = RecordCodecs(keyed: .plain)
        let assembler = PackAssembler(store.files, codecs)
        let file = try store.files.open("packs/" + pack, O_RDONLY)
        for record in try records(scratch, pack).reversed() {
            try assembler.add(
                record,
                try PackFormat.part(file, Int(record.offset), Int(record.stored), []))
        }
        try assembler.finish()
        let packs = try scratch.packs
        #expect(packs.count == 2)
        for record in try records(scratch, packs[0]) {
            try scratch.flip(scratch.packPath(packs[0]), Int(record.offset))
        }
        #expect(try store.verify(id, deep: true) == [])
        let summary = try store.repair()
        #expect(summary.repaired.isEmpty && summary.lost.isEmpty && summary.rewritten == 1)
        #expect(try scratch.packs == [packs[1]])
        #expect(try isWhole(store))
    }

    @Test func aRepairThatStopsAtAnyCallLosesNothingAndTheNextOneFinishes() throws {
        let scratch = try Scratch()
        try scratch.noise(1, files: 3, bytes: 200)
        let store = try scratch.store()
        try point(scratch.alone(), "p1")
        let pack = try #require(try scratch.packs.first)
        try scratch.flip(scratch.packPath(pack), Int(try records(scratch, pack)[0].offset))
        _ = try Scratch.run(["cp", "-a", scratch.path + "/points", scratch.path + "/saved"])
        var finished = false
        var number = 0
        while !finished {
            number += 1
            let stopping = StoppingCalls(after: number)
            let dying = try? PointStore(
                directory: store.directory, root: scratch.root, services: scratch.services,
                calls: FileCalls(stopping))
            let summary = try? dying?.repair()
            finished = summary != nil && !stopping.hasStopped
            let next = try scratch.store()
            #expect(try next.repair().lost == [], "stopped at call \(number)")
            #expect(try isWhole(next))
            #expect(try scratch.packs.count == 1)
            _ = try Scratch.run(["rm", "-rf", store.directory])
            _ = try Scratch.run(["cp", "-a", scratch.path + "/saved", store.directory])
        }
        #expect(number > 10)
    }

    @Test func aScrubGoesOnWhereItWasStoppedAndKeepsItsPace() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        for number in 1...3 {
            try scratch.noise(UInt64(number))
            try point(scratch.alone(), "p\(number)")
        }
        let packs = try scratch.packs
        try scratch.flip(scratch.packPath(packs[0]), Int(try records(scratch, packs[0])[0].offset))
        var looked = 0
        let half = try store.scrub(
            pace: nil,
            isCancelled: {
                looked += 1
                return looked > (try? self.records(scratch, packs[0]).count) ?? 0
            })
        #expect(half.ended == nil && half.lastPack == packs[0] && half.findings.count == 1)
        // What was looked at is not looked at again: its damage is not found a second time.
        var reported = 0
        let whole = try store.scrub(pace: nil, report: { _ in reported += 1 })
        #expect(reported == 0 && whole.ended != nil && whole.findings.count == 1)
        #expect(whole.began == half.began && whole.bytes > half.bytes)
        #expect(try store.scrub(pace: nil).findings.count == 1)
        let began = ContinuousClock.now
        let paced = try store.scrub(pace: ByteCount(200_000))
        let least = Double(paced.bytes.count) / 200_000 * 0.9
        #expect(ContinuousClock.now - began > .milliseconds(Int(least * 1000)))
        for text in ["", "{", "{\"version\":1}", "\u{1}"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: store.directory + "/scrub.json"))
            #expect(try store.scrubState() == nil)
            #expect(try store.scrub(pace: nil).ended != nil)
        }
    }

    @Test func aScrubRunsAtIdlePriorityAndItsCallerDoesNot() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        let store = try scratch.store()
        try point(scratch.alone(), "p1")
        var inside: Int32 = 0
        _ = try store.scrub(
            pace: nil,
            isCancelled: {
                inside = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
                return false
            })
        #expect(inside == 19)
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) < 19)
    }
}
