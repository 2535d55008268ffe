import FleetWire
import Foundation
import Glibc
import SQLiteFile
import Testing

@testable import HostSnapshots

/// A capture that is stopped ends the program that a driver runs, with all that it started.
@Suite(.timeLimit(.minutes(2))) struct StoppedDriverTests {
    /// Writes its own id and that of a child to the file `ids`, then both wait.
    private static let waiting = """
        sleep 300 & echo $$ $! > "$BELAY_ROOT/new"; mv "$BELAY_ROOT/new" "$BELAY_ROOT/ids"; wait
        """

    private func command(_ capture: String, verify: String? = nil) throws -> ComponentSpec {
        func script(_ text: String) -> [String] { ["/bin/sh", "-c", text] }
        return ComponentSpec(
            name: try name("thing"),
            driver: .command(
                CommandComponent(
                    capture: script(capture), restore: script("cat > /dev/null"),
                    verify: verify.map(script))), restart: false)
    }

    /// Captures until `isStopped`; gives how long it took to end from then on.
    private func stopped(
        _ store: PointStore, _ spec: ComponentSpec, _ isStopped: @escaping @Sendable () -> Bool
    ) throws -> Duration {
        let since = Since()
        let error = #expect(throws: PointError.self) {
            try store.create(
                id: PointID(unchecked: "p1"), at: Timestamp(milliseconds: 0), reason: "test",
                rollout: nil, components: [spec],
                isStopped: {
                    guard isStopped() else { return false }
                    since.note()
                    return true
                })
        }
        #expect(error?.cause == "it was stopped", "\(error?.description ?? "no error")")
        #expect(try store.list().isEmpty)
        for folder in ["packs", "clones", "points", "tmp"] {
            #expect(try store.files.names(in: folder).isEmpty, "\(folder)")
        }
        return try #require(since.elapsed)
    }

    /// When a stop was first seen.
    private final class Since: @unchecked Sendable {
        private let lock = NSLock()
        private var first: ContinuousClock.Instant?
        func note() { lock.withLock { first = first ?? .now } }
        var elapsed: Duration? { lock.withLock { first.map { $0.duration(to: .now) } } }
    }

    private func expectGone(_ scratch: Scratch) throws {
        let ids = try String(contentsOfFile: scratch.root + "/ids", encoding: .utf8)
            .split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
        #expect(ids.count == 2)
        let deadline = ContinuousClock.now + .seconds(10)
        // A child whose parent is gone is reaped by another process.
        while ids.contains(where: isAlive), .now < deadline { usleep(1000) }
        for id in ids { #expect(!isAlive(id), "process \(id) goes on") }
    }

    private func isAlive(_ id: pid_t) -> Bool {
        let path = "/proc/\(id)/stat"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.hasPrefix(" Z") == false
    }

    @Test("a command's programs and what they started are gone at once")
    func commands() throws {
        for spec in [
            try command(Self.waiting), try command("echo x", verify: Self.waiting),
        ] {
            let scratch = try Scratch()
            let ids = scratch.root + "/ids"
            let took = try stopped(scratch.store(), spec) { access(ids, F_OK) == 0 }
            #expect(took < .seconds(4))
            try expectGone(scratch)
        }
    }

    @Test("a program that ignores TERM is killed")
    func stubborn() throws {
        let scratch = try Scratch()
        let ids = scratch.root + "/ids"
        let spec = try command(
            "trap '' TERM; " + Self.waiting.replacing("wait", with: "while :; do wait; done"))
        let took = try stopped(scratch.store(), spec) { access(ids, F_OK) == 0 }
        #expect(took < .seconds(20))
        try expectGone(scratch)
    }

    @Test("pg_dump that waits for a lock is ended")
    func postgres() throws {
        if let missing = DriverKind.postgres.missing {
            try Test.cancel("postgres is not tested: \(missing)")
        }
        let subject = try PostgresSubject()
        try subject.make()
        let holder = try subject.connect("BEGIN; LOCK TABLE orders; SELECT 'locked';\n")
        let waiters =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'belay' "
            + "AND wait_event_type = 'Lock'"
        let (cluster, tmp) = (subject.cluster, subject.scratch.path + "/points/tmp")
        let took = try stopped(subject.store(), subject.spec) {
            // A folder is listed far more often than a query is made.
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: tmp),
                names.contains(where: { $0.hasPrefix("dump") })
            else { return false }
            return (try? cluster.sql("postgres", waiters))?.hasPrefix("0") == false
        }
        #expect(took < .seconds(4))
        try holder.end()
        let deadline = ContinuousClock.now + .seconds(20)
        let query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'belay'"
        while try !cluster.sql("postgres", query).hasPrefix("0"), .now < deadline { usleep(10_000) }
        #expect(try cluster.sql("postgres", query).hasPrefix("0"))
    }

    @Test("the backup of a SQLite database ends between its pages")
    func database() throws {
        let scratch = try Scratch()
        let database = try SQLiteConnection(path: scratch.root + "/db")
        try database.run(
            script: "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(40000000));")
        let spec = ComponentSpec(
            name: try name("db"), driver: .sqlite(path: "/db"), restart: false)
        let tmp = scratch.path + "/points/tmp"
        _ = try stopped(scratch.store(), spec) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: tmp)) ?? []
            return names.contains { name in
                name.hasPrefix("database") && !name.contains("-")
                    && ((try? FileManager.default.attributesOfItem(atPath: tmp + "/" + name))?[
                        .size] as? Int ?? 0) > 0
            }
        }
        let store = try scratch.store()
        _ = try take(store, "p1", [spec])
        #expect(try store.verify(PointID(unchecked: "p1"), deep: true) == [])
    }
}
