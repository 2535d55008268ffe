import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// Golden stores of version 1 with what drivers keep: a stream, a package with its file, and a
/// subvolume. `BELAY_WRITE_GOLDEN=1` as root writes them anew.
@Suite(.serialized) struct GoldenDriversTests {
    private static let id = PointID(unchecked: "20260102T030405006Z-0d1e2f30")
    private static let text = GoldenTests.folder + "/drivers.txt"
    private static var isWritten: Bool {
        ProcessInfo.processInfo.environment["BELAY_WRITE_GOLDEN"] != nil
    }

    private func open(_ name: String, _ scratch: Scratch) throws -> PointStore {
        try Scratch.run(["cp", "-r", GoldenTests.folder + "/" + name, scratch.path + "/points"])
        if name == "sealed-drivers" { try scratch.seal() }
        return try scratch.store()
    }

    @Test(arguments: ["plain-drivers", "sealed-drivers"])
    func aGoldenStoreOfDriversIsOpenedListedAndVerified(name: String) throws {
        let scratch = try Scratch()
        let store = try open(name, scratch)
        let point = try #require(try store.list().first)
        #expect(point.id == Self.id && point.reason == "golden")
        #expect(point.components.map(\.driver) == ["command", "package", "btrfs"])
        let lines = try store.show(Self.id).entries
        #expect(
            try lines.joined(separator: "\n") + "\n"
                == String(contentsOfFile: Self.text, encoding: .utf8))
        let (manifest, _) = try store.manifest(Self.id)
        let objects = try store.objects(of: manifest)
        let entries = try manifest.components.flatMap { try store.points.catalogue($0, objects) }
        #expect(entries.map(\.kind) == [.stream, .package, .subvolume])
        #expect(entries.map { !$0.chunks.isEmpty } == [true, true, false])
        #expect(entries[2].attributes.map(\.name) == ["snapshot", "uuid"].map { Array($0.utf8) })
        // The snapshot lies beside its subvolume, not in the store: that alone is missing.
        let damage = try store.verify(Self.id, deep: true)
        #expect(damage.count == 1 && damage[0].contains("/srv/app"), "\(damage)")
        #expect(try store.scrub(pace: nil).findings == [])
        #expect(try store.prune(PointRetention(count: 1)).removed.isEmpty)
    }

    @Test(arguments: ["plain-drivers", "sealed-drivers"])
    func aGoldenStreamIsRestored(name: String) throws {
        let scratch = try Scratch()
        let store = try open(name, scratch)
        _ = try store.restore(point: Self.id, components: [HostSnapshotsTests.name("stream")])
        #expect(
            try String(contentsOfFile: scratch.root + "/state", encoding: .utf8) == Self.state)
    }

    @Test(arguments: ["plain-drivers", "sealed-drivers"])
    func aGoldenPackageIsRestored(name: String) throws {
        if let missing = DriverKind.package.missing { try Test.cancel("not tested: \(missing)") }
        let subject = try PackageSubject(keep: true)
        let store = try open(name, subject.scratch)
        _ = try store.restore(point: Self.id, components: [HostSnapshotsTests.name("thing")])
        #expect(
            try subject.view() == "Status: hold ok installed, Version: 1.0: version 1.0\n")
    }

    /// Compressible, and longer than one chunk.
    private static let state = String(repeating: "the state of an application\n", count: 40_000)

    private static func components(_ package: PackageSubject) throws -> [ComponentSpec] {
        func script(_ text: String) -> [String] {
            ["/bin/sh", "-eu", "-c", "cd \"$BELAY_ROOT\"; " + text]
        }
        return [
            ComponentSpec(
                name: try name("stream"),
                driver: .command(
                    CommandComponent(
                        capture: script("exec cat state"),
                        restore: script("cat > new; mv new state"))), restart: false),
            package.spec,
            ComponentSpec(
                name: try name("volume"), driver: .btrfs(BtrfsComponent(path: "/srv/app")),
                restart: false),
        ]
    }

    @Test(.enabled(if: isWritten, "it only writes the fixture anew"))
    func theGoldenStoresOfDriversAreWritten() throws {
        let subject = try PackageSubject(keep: true)
        let scratch = subject.scratch
        try subject.make()
        try Scratch.run(["cp", subject.file("1.0"), scratch.root + "/var/cache/apt/archives/"])
        try scratch.write("/state", Self.state)
        let mounted = try MountedBtrfs(
            image: scratch.path + "/image", at: scratch.root + "/srv", bytes: 256 << 20)
        try mounted.subvolume("app")
        try scratch.write("/srv/app/file", "in a subvolume\n")
        for name in ["plain-drivers", "sealed-drivers"] {
            try Scratch.run(["rm", "-rf", scratch.path + "/points"])
            if name == "sealed-drivers" { try scratch.seal() }
            let store = try scratch.store()
            _ = try store.create(
                id: Self.id, at: Timestamp(milliseconds: 1_767_323_045_006), reason: "golden",
                rollout: nil, components: Self.components(subject))
            let target = GoldenTests.folder + "/" + name
            try Scratch.run(["rm", "-rf", target])
            try Scratch.run(["mkdir", "-p", target])
            for part in ["format", "packs", "points"] {
                try Scratch.run(["cp", "-r", store.directory + "/" + part, target])
            }
            let lines = try store.show(Self.id).entries
            try Data((lines.joined(separator: "\n") + "\n").utf8)
                .write(to: URL(fileURLWithPath: Self.text))
        }
    }
}
