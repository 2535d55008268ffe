import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct ListTests {
    @Test func aPointIsFoundByItsIDItsNameOrTheBeginningOfItsIDAlone() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        let store = try scratch.store()
        let first = try point(store, "20260101T000000000Z-aa", name: "golden")
        let second = try point(store, "20260101T000000000Z-ab")
        let third = try point(store, "20260102T000000000Z-aa", name: "20260101T000000000Z-ab.x")
        #expect(try store.find("golden") == first)
        #expect(try store.find("20260101T000000000Z-ab") == second)
        #expect(try store.find("20260102") == third)
        #expect(try store.find("20260101T000000000Z-ab.x") == third)
        for text in ["20260101", "", "none", "golde", "20260103", "../points/x"] {
            #expect(throws: PointError.self, "\(text)") { try store.find(text) }
        }
        let text = failure { _ = try point(store, "p4", name: "golden") }
        #expect(text.contains("\(first) has this name"), "\(text)")
    }

    @Test func showGivesEntriesOneByOneAndStopsWhenItIsTold() throws {
        let scratch = try Scratch()
        try scratch.noise(1, files: 10)
        let store = try scratch.store()
        let id = try point(store, "p1")
        var lines: [String] = []
        let summary = try store.show(id) { component, line in
            #expect(component.rawValue == "release")
            lines.append(line)
            return lines.count < 3
        }
        #expect(summary.components.first?.entries == 11)
        #expect(lines.count == 3 && lines[0].hasSuffix("/tree"))
        lines = []
        _ = try store.show(id, component: try name("other")) { _, line in
            lines.append(line)
            return true
        }
        #expect(lines.isEmpty)
        #expect(try store.show(id).entries.count == 11)
    }

    @Test func aCatalogueIsReadObjectByObjectAndItsEntriesMayLieAcrossThem() throws {
        let scratch = try Scratch()
        mkdir(scratch.root + "/tree", 0o755)
        // Names of 250 bytes: some 350 bytes an entry, so that 7,000 take more than two objects.
        let tail = String(repeating: "n", count: 240)
        for index in 0..<7000 {
            let path = scratch.root + "/tree/" + String(format: "%06d", index) + tail
            close(open(path, O_WRONLY | O_CREAT, 0o644))
        }
        let store = try scratch.store()
        let id = try point(store, "p1")
        let (manifest, _) = try store.manifest(id)
        #expect(manifest.components[0].catalogue.count > 2)
        let objects = try store.objects(of: manifest)
        let reader = CatalogueReader(manifest.components[0], objects)
        var count = 0
        try reader.forEach { entry in
            #expect(entry.path.count == (count == 0 ? 5 : 252))
            count += 1
        }
        #expect(count == 7001 && reader.count == 7001)
        var cut = manifest.components[0]
        cut.catalogue.removeLast()
        #expect(throws: PointError.self) { try CatalogueReader(cut, objects).forEach { _ in } }
        cut = manifest.components[0]
        cut.catalogue.swapAt(0, 1)
        #expect(throws: PointError.self) { try CatalogueReader(cut, objects).forEach { _ in } }
        cut = manifest.components[0]
        cut.state = ObjectID.zeros.digest
        #expect(throws: PointError.self) { try CatalogueReader(cut, objects).forEach { _ in } }
    }

    @Test func hundredsOfPointsAreListedAtOnce() throws {
        let scratch = try Scratch()
        try scratch.noise(1)
        let store = try scratch.store()
        let (manifest, _) = try store.manifest(try point(store, "p1"))
        for number in 0..<500 {
            var other = manifest
            other.id = PointID(unchecked: "q\(number)")
            try other.encoded().withUnsafeBytes { bytes in
                try Data(bytes).write(
                    to: URL(fileURLWithPath: store.directory + "/points/q\(number).json"))
            }
        }
        let began = ContinuousClock.now
        #expect(try store.list().count == 501)
        // Some 50 ms where this was written, in a debug build; the bound only sees another order.
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    @Test func settingsAreReadAndEveryMistakeIsSaidAtOnce() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        #expect(try store.settings() == StoreSettings())
        try scratch.set(
            "{\"key_file\": \"/etc/key\", \"scrub_every\": \"7d\", \"retention\": "
                + "{\"count\": 3, \"age\": \"12h\", \"bytes\": \"2GiB\"}}")
        let settings = try store.settings()
        #expect(settings.keyFile == "/etc/key")
        #expect(settings.scrubEvery == .seconds(7 * 86400))
        #expect(
            settings.retention
                == PointRetention(
                    count: 3, age: .seconds(43200), bytes: ByteCount(2 << 30)))
        try scratch.set(
            "{\"key_file\": 3, \"scrub_evry\": \"7d\", \"retention\": "
                + "{\"count\": 0, \"age\": \"12x\", \"bytes\": \"9999999999TiB\", \"cuont\": 1}}")
        let text = failure { _ = try store.settings() }
        for part in [
            "key_file must be a text", "scrub_evry is not known; did you mean scrub_every?",
            "retention.count must be", "retention.age must be", "retention.bytes must be",
            "retention.cuont is not known; did you mean count?",
        ] {
            #expect(text.contains(part), "\(text)")
        }
        for text in [
            "", "[]", "{", "null", "\u{0}", "{\"retention\": []}", "{\"key_file\": \"x\"}",
        ] {
            try scratch.set(text)
            #expect(throws: PointError.self, "\(text)") { try store.settings() }
        }
    }
}
