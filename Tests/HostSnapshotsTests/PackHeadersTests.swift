import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// What a store is read by only after a second fault is looked at before that fault comes.
@Suite struct PackHeadersTests {
    /// A point of a few small objects, in one pack.
    private func world(_ isSealed: Bool) throws -> (Scratch, PointStore, PointID) {
        let scratch = try Scratch(inMemory: true)
        if isSealed { try scratch.seal() }
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/a", "abc")
        try scratch.write("/tree/b", String(repeating: "compressible ", count: 20))
        let id = try point(scratch.alone(), "p1")
        return (scratch, try scratch.store(), id)
    }

    @Test(arguments: [false, true])
    func aScrubAndADeepVerificationNoticeEachByteThatIsNotWhatWasWritten(isSealed: Bool) throws {
        let (scratch, store, id) = try world(isSealed)
        let names = try ["packs/" + #require(scratch.packs.first), "points/\(id).json"]
        for name in names {
            let path = store.directory + "/" + name
            let count = try Data(contentsOf: URL(fileURLWithPath: path)).count
            for offset in 0..<count {
                try scratch.flip(path, offset)
                #expect(try !store.scrub(pace: nil).findings.isEmpty, "scrub: \(name), \(offset)")
                #expect(try !store.verify(id, deep: true).isEmpty, "verify: \(name), \(offset)")
                try scratch.flip(path, offset)
            }
        }
        for offset in 0..<"belay-points 1\n".utf8.count {
            try scratch.flip(store.directory + "/format", offset)
            #expect(throws: PointError.self, "format, \(offset)") { try scratch.store() }
            try scratch.flip(store.directory + "/format", offset)
        }
        #expect(try store.scrub(pace: nil).findings == [])
        #expect(try store.verify(id, deep: true) == [])
    }

    @Test(arguments: [false, true])
    func aDamagedHeaderIsThePacksAndCostsNothingUntilARepairWritesItAnew(isSealed: Bool) throws {
        let (scratch, store, id) = try world(isSealed)
        let pack = try #require(try scratch.packs.first)
        let url = URL(fileURLWithPath: scratch.packPath(pack))
        let good = try Data(contentsOf: url)
        let records = try PackFormat.records(
            of: Descriptor(open(url.path, O_RDONLY)), path: url.path)
        let before = try scratch.view("/tree")
        // The magic, and of each header the name, the codec and both sizes.
        let places =
            [0, 7]
            + records.flatMap { record in
                [41, 10, 9, 8, 4, 1].map { Int(record.offset) - $0 }
                    // The identifier of the key, which is looked at although the tag decides.
                    + (isSealed ? [0, 7].map { Int(record.offset) + $0 } : [])
            }
        for place in places {
            try scratch.flip(url.path, place)
            #expect(try store.verify(id) == [], "\(place)")
            let found = try store.verify(id, deep: true)
            #expect(found.count == 1 && found[0].hasPrefix("pack \(pack): "), "\(found)")
            let findings = try store.scrub(pace: nil).findings
            #expect(findings.map(\.pack) == [pack] && findings[0].object == nil, "\(findings)")
            try scratch.write("/tree/b", "changed")
            _ = try store.restore(point: id)
            #expect(try scratch.view("/tree") == before)
            let summary = try store.repair()
            #expect(summary.rewritten == 1 && summary.repaired.isEmpty && summary.lost.isEmpty)
            #expect(try Data(contentsOf: url) == good, "\(place)")
            #expect(try scratch.packs == [pack])
            #expect(try store.scrubState()?.findings == [])
        }
    }
}
