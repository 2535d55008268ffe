import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// What one driver does beyond the list that all are put through.
@Suite("Drivers, each on its own", .serialized)
struct DriverDetailTests {
    private func need(_ kind: DriverKind) throws {
        if let missing = kind.missing { try Test.cancel("\(kind) is not tested: \(missing)") }
    }

    // MARK: - package

    @Test("a version that could not be installed again is not captured, unless it is kept")
    func versionsOfNowhere() throws {
        try need(.package)
        let subject = try PackageSubject(keep: true)
        try subject.make()
        guard case .package(let kept) = subject.spec.driver else { return }
        var lost = kept
        lost.keep = false
        let error = #expect(throws: PointError.self) {
            try take(
                subject.store(), "p1",
                [ComponentSpec(name: name("thing"), driver: .package(lost), restart: false)])
        }
        #expect(error?.description.contains("keep: true") == true)
        // In no cache either, so that nothing can be kept.
        #expect(throws: PointError.self) { try take(subject.store(), "p1", [subject.spec]) }
        #expect(try subject.store().list().isEmpty)
        let cache = subject.scratch.root + "/var/cache/apt/archives/"
        try Scratch.run(["cp", subject.file("1.0"), cache])
        let view = try subject.view()
        let point = try take(subject.store(), "p1", [subject.spec])
        unlink(cache + "belay-sample_1.0_all.deb")
        // The second capture has it from the first.
        _ = try take(subject.store(), "p2", [subject.spec])
        try subject.change()
        _ = try subject.store().restore(point: point.id)
        #expect(try subject.view() == view)
        try subject.change()
        try subject.damage()
        let changed = try subject.view()
        #expect(throws: PointError.self) { try subject.store().restore(point: point.id) }
        #expect(try subject.view() == changed)
    }

    // MARK: - command

    private func command(
        _ capture: String, verify: String? = nil, bytesMax: UInt64? = nil,
        timeout: Milliseconds? = nil
    ) throws -> ComponentSpec {
        func script(_ text: String) -> [String] { ["/bin/sh", "-c", text] }
        return ComponentSpec(
            name: try name("thing"),
            driver: .command(
                CommandComponent(
                    capture: script(capture), restore: script("cat > /dev/null"),
                    verify: verify.map(script), timeout: timeout,
                    bytesMax: bytesMax.map { ByteCount($0) })), restart: false)
    }

    @Test("a command that fails, writes too much, hangs or does not verify makes no point")
    func failingCommands() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let cases: [(ComponentSpec, String)] = [
            (try command("echo password=hunter2 >&2; exit 4"), "exited 4"),
            (try command("yes", bytesMax: 1000), "more than 1000 bytes"),
            (try command("exec cat < /dev/zero > /dev/null", timeout: Milliseconds(200)), "after"),
            (try command("echo x", verify: "exit 1"), "not sound"),
            (try command("exit 3"), "found nothing"),
        ]
        for (spec, words) in cases {
            let error = #expect(throws: PointError.self) { try take(store, "p1", [spec]) }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("hunter2") == false)
        }
        #expect(try store.list().isEmpty)
        #expect(try store.files.names(in: "tmp").isEmpty)
    }

    @Test("a restore that does not verify is reported")
    func failedVerify() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try scratch.write("/state", "one")
        let spec = try command(
            "cat \"$BELAY_ROOT/state\"", verify: "test $(cat \"$BELAY_ROOT/state\") = one")
        let point = try take(store, "p1", [spec])
        try scratch.write("/state", "two")
        let error = #expect(throws: PointError.self) { try store.restore(point: point.id) }
        #expect(error?.description.contains("not sound") == true)
    }

    // MARK: - postgres

    @Test(
        "who is connected is disconnected, a password stays in its file, a restore of nonsense fails"
    )
    func postgresConnections() throws {
        try need(.postgres)
        let subject = try PostgresSubject()
        try subject.make()
        let view = try subject.view()
        let point = try take(subject.store(), "p1", [subject.spec])
        try subject.change()
        let client = try subject.connect("SELECT 'ready';\n")
        _ = try subject.store().restore(point: point.id)
        #expect(try subject.view() == view)
        try client.end()
        let left = try subject.cluster.sql("postgres", "SELECT datname FROM pg_database")
        #expect(!left.contains("belay~"))
    }

    // MARK: - btrfs

    @Test("a pruned point takes its snapshot along, and a capture that fails leaves none")
    func snapshotsGo() throws {
        try need(.btrfs)
        let subject = try BtrfsSubject()
        try subject.make()
        let store = try subject.store()
        func snapshots() throws -> [String] {
            try FileManager.default.contentsOfDirectory(
                atPath: subject.scratch.root + "/srv/.belay-points")
        }
        _ = try take(store, "p1", [subject.spec])
        _ = try take(store, "p2", [subject.spec])
        #expect(try snapshots().count == 2)
        _ = try store.prune(
            keeping: PointRetention(count: 1), inUse: [],
            now: Timestamp(milliseconds: 1_700_000_000_999))
        #expect(try snapshots().count == 1)
        let failing = try command("exit 9")
        let other = ComponentSpec(name: try name("other"), driver: failing.driver, restart: false)
        #expect(throws: PointError.self) { try take(store, "p3", [subject.spec, other]) }
        #expect(try snapshots().count == 1)
    }

    @Test("a subvolume with others in it, one that is mounted, and a plain directory are refused")
    func whatIsNoSubvolume() throws {
        try need(.btrfs)
        let subject = try BtrfsSubject()
        try subject.make()
        let store = try subject.store()
        for (path, words) in [("/srv", "mounted"), ("/srv/app/folder", "no subvolume")] {
            let spec = ComponentSpec(
                name: try name("thing"), driver: .btrfs(BtrfsComponent(path: path)),
                restart: false)
            let error = #expect(throws: PointError.self) { try take(store, "p1", [spec]) }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
        try subject.mounted.subvolume("app/inner")
        let error = #expect(throws: PointError.self) { try take(store, "p1", [subject.spec]) }
        #expect(error?.description.contains("within it") == true)
    }
}
