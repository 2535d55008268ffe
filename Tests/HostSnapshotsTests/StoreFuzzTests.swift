import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// No bytes of a store can crash its reader, and none that count can change unnoticed.
@Suite struct StoreFuzzTests {
    private func world(_ isSealed: Bool) throws -> (Scratch, PointStore) {
        let scratch = try Scratch()
        if isSealed {
            try scratch.encrypt(
                settings: ", \"retention\": {\"count\": 2}, \"scrub_every\": \"1d\"")
        } else {
            try scratch.set("{\"retention\": {\"count\": 2, \"age\": \"9d\"}}")
        }
        mkdir(scratch.root + "/tree", 0o755)
        try scratch.write("/tree/a", "abc")
        try scratch.write("/tree/b", String(repeating: "compressible ", count: 20))
        symlink("a", scratch.root + "/tree/l")
        let store = try scratch.store()
        try point(store, "p1", at: 1, name: "first")
        _ = try store.scrub(pace: nil)
        return (scratch, store)
    }

    /// Asks the store all that reads the file `name`.
    private func ask(_ scratch: Scratch, _ name: String) throws {
        let store = try scratch.store()
        if name == StoreSettings.fileName { _ = try? store.settings() }
        if name == ScrubState.fileName { _ = try? store.scrubState() }
        if name.hasPrefix("unchanged/") {
            _ = try? store.spaceNeeded([try files("/tree")])
            return
        }
        _ = try store.list()
        guard name.hasPrefix("packs/") else { return }
        _ = try? store.prune(PointRetention(count: 1), dryRun: true)
        _ = try? store.verify(PointID(unchecked: "p1"), deep: true)
    }

    @Test(arguments: [false, true])
    func everyByteOfEveryFileCanBeDamagedOrMissing(isSealed: Bool) throws {
        let (scratch, store) = try world(isSealed)
        let walk = FileManager.default.enumerator(atPath: store.directory)
        var names: [String] = []
        while let name = walk?.nextObject() as? String {
            let path = store.directory + "/" + name
            let isFile = (try? Data(contentsOf: URL(fileURLWithPath: path)).count) ?? 0 > 0
            if isFile, name != "format" { names.append(name) }
        }
        #expect(names.count >= 4)
        for name in names {
            let url = URL(fileURLWithPath: store.directory + "/" + name)
            let good = try Data(contentsOf: url)
            for offset in good.indices {
                var bad = good
                bad[offset] ^= 0xA5
                try bad.write(to: url)
                try ask(scratch, name)
                // Of a manifest every byte counts.
                if name.hasSuffix(".json"), name.hasPrefix("points/") {
                    let id = PointID(unchecked: String(name.dropFirst(7).dropLast(5)))
                    let found = try? store.verify(id)
                    #expect(found?.isEmpty != true, "\(name) byte \(offset)")
                }
                // Cuts close to each other meet the same fields; the tables stand at the end.
                guard offset % 4 == 0 || good.count - offset < 128 else { continue }
                try good.prefix(offset).write(to: url)
                try ask(scratch, name)
            }
            try good.write(to: url)
        }
        for id in try store.ids() { #expect(try store.verify(id, deep: true) == []) }
    }

    @Test func cataloguesWithWrongBytesButRightDigestsAreRefused() throws {
        let (scratch, store) = try world(false)
        defer { withExtendedLifetime(scratch) {} }
        var (manifest, _) = try store.manifest(PointID(unchecked: "p1"))
        let objects = try store.objects(of: manifest)
        let good = try objects.read(ObjectID(manifest.components[0].catalogue[0]))
        var ids: [ObjectID] = []
        let assembler = PackAssembler(store.files, RecordCodecs(keyed: .plain))
        for offset in good.indices {
            for value: UInt8 in [0, 0xFF] where good[offset] != value {
                var bad = good
                bad[offset] = value
                var buffer: [UInt8] = []
                let id = ObjectID(hashing: bad)
                let record = try bad.withUnsafeBytes {
                    try ObjectCodec.plain.append(
                        id, codec: .raw, raw: bad.count, $0, to: &buffer, at: 0)
                }
                try assembler.add(record, bad)
                ids.append(id)
            }
        }
        try assembler.finish()
        let all = try store.objects(of: manifest)
        for id in ids {
            manifest.components[0].catalogue = [id.digest]
            // Flags are no part of the state; everything else is.
            let reader = CatalogueReader(manifest.components[0], all)
            let isRefused = (try? reader.forEach { _ = $0.line }) == nil
            let bytes = try all.read(id)
            let places = good.indices.filter { good[$0] != bytes[$0] }
            #expect(isRefused || places.allSatisfy { flagPlaces(good).contains($0) })
            // A restore reads them with a state that was made to fit, and must not trap either.
            _ = try? restore(manifest, bytes, store)
        }
    }

    /// Where the flags of the entries stand.
    private func flagPlaces(_ bytes: [UInt8]) -> Set<Int> {
        var places: Set<Int> = []
        var position = 0
        while position + 4 < bytes.count {
            places.insert(position + 5)
            position +=
                4 + bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        return places
    }

    /// Plans and checks what such a point would do, as somebody who can write in the store has it.
    private func restore(_ manifest: Manifest, _ bytes: [UInt8], _ store: PointStore) throws {
        var manifest = manifest
        let entries = try Catalogue.decode(bytes)
        manifest.components[0].state = Catalogue.state(of: entries).digest
        manifest.components[0].entries = entries.count
        manifest.id = PointID(unchecked: "made")
        let path = store.directory + "/points/made.json"
        try Data(try manifest.encoded()).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        _ = try store.list()
        _ = try store.verify(manifest.id, deep: true)
    }

    @Test func tablesWithWrongRowsButRightDigestsAreRefused() throws {
        let (scratch, _) = try world(false)
        let name = try #require(try scratch.packs.first)
        let path = scratch.packPath(name)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        let records = try PackFormat.records(of: Descriptor(open(path, O_RDONLY)), path: path)
        let start = good.count - 44 - 49 * records.count
        for offset in start..<(good.count - 44) {
            for value: UInt8 in [0, 0xFF] {
                var table = Array(good[start..<(good.count - 44)])
                table[offset - start] = value
                let footer = PackFormat.footer(table: table, count: records.count)
                try (good.prefix(start) + Data(table + footer))
                    .write(to: URL(fileURLWithPath: path))
                try ask(scratch, "packs/" + name)
            }
        }
        for count: UInt32 in [0, 1, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            var bad = good
            withUnsafeBytes(of: count.littleEndian) {
                bad.replaceSubrange((good.count - 12)..<(good.count - 8), with: $0)
            }
            try bad.write(to: URL(fileURLWithPath: path))
            try ask(scratch, "packs/" + name)
        }
    }
}
