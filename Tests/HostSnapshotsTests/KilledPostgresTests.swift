import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// While a database is captured or restored, SIGKILL ends the process that does it, one of
/// PostgreSQL's programs, or the server, at one of the runs of these programs after the other.
///
/// Afterwards the store opens, its points are whole, the database is the old or the captured one,
/// the next restore ends, and everything else in the server is as it was.
@Suite(.serialized) struct KilledPostgresTests {
    enum Victim: String, CaseIterable, CustomTestStringConvertible {
        case agent, program, server

        var testDescription: String { rawValue }
    }

    enum Verb: String { case capture, restore }

    /// Names what the process does that is to be killed, and its scratch.
    private static let variable = "BELAY_DATABASE_TO_KILL"
    /// Milliseconds from a program's beginning to the kill; the moments differ from run to run.
    private static let delays = [0, 25, 8]

    @Test(arguments: Victim.allCases) func aRestoreComesToAnEnd(_ victim: Victim) throws {
        if let missing = PostgresCluster.missing { try Test.cancel("not tested: \(missing)") }
        let world = try World()
        try sweep(world, victim, .restore) { number, isDone in
            let found = try world.subject.view()
            let allowed = isDone ? [world.captured] : [world.captured, world.changed]
            #expect(allowed.contains(found), "run \(number): \(found)")
            _ = try world.subject.store().restore(point: PointID(unchecked: "p1"))
            #expect(try world.subject.view() == world.captured, "run \(number)")
            #expect(try world.points() == ["p1"], "run \(number)")
        } before: {
            try world.subject.change()
        }
    }

    @Test(arguments: [Victim.agent, .program]) func aCaptureLeavesAWholeStore(_ victim: Victim)
        throws
    {
        if let missing = PostgresCluster.missing { try Test.cancel("not tested: \(missing)") }
        let world = try World()
        try sweep(world, victim, .capture) { number, isDone in
            #expect(try world.subject.view() == world.captured, "run \(number)")
            let points = try world.points()
            #expect(points.first == "p1" && points.count < 3, "run \(number): \(points)")
            if isDone { #expect(points.contains("p2"), "run \(number)") }
            let next = try take(world.subject.store(), "p3", [world.subject.spec])
            #expect(try world.subject.store().verify(next.id, deep: true) == [], "run \(number)")
            _ = try world.subject.store().prune(
                nil, removing: try world.points().filter { $0 != "p1" })
        }
    }

    /// Kills at every sixth run of a program (every second one of a capture, which has few), from
    /// another one on for each victim, until what is done ends before.
    private func sweep(
        _ world: World, _ victim: Victim, _ verb: Verb,
        check: (_ number: Int, _ isDone: Bool) throws -> Void, before: () throws -> Void = {}
    ) throws {
        let others = try world.others()
        let step = CrashWorld.isExhaustive ? 1 : verb == .capture ? 2 : 6
        let phase = (Victim.allCases.firstIndex(of: victim) ?? 0) * 2 + 1
        var reached = 0
        for number in stride(from: 1 + phase % step, to: 1000, by: step) {
            try before()
            let delay = Self.delays[number / 2 % Self.delays.count]
            try world.programs.arm(victim, at: number, after: delay)
            let isDone = try act(world, victim, verb, delay)
            let isReached = world.programs.isReached
            try world.programs.disarm()
            if isReached { reached += 1 }
            if victim == .server, isReached { try world.cluster.start() }
            try check(number, isDone)
            #expect(try world.others() == others, "run \(number)")
            let left = try TreeImage(reading: world.subject.scratch.path).scratchNames()
            // What a dead process left goes with the next capture.
            if verb == .capture { #expect(left == [], "run \(number)") }
            if !isReached {
                #expect(isDone && reached > 0)
                return
            }
        }
        Issue.record("it never ended")
    }

    /// True if what was to be done was done.
    private func act(
        _ world: World, _ victim: Victim, _ verb: Verb, _ delay: Int
    ) throws -> Bool {
        guard victim == .agent else {
            do {
                try Self.carryOut(verb, try world.subject.store(), world.subject.spec)
                return true
            } catch is PointError {
                return false
            }
        }
        let spec = try WireJSON.encode(world.subject.spec)
        let path = world.subject.scratch.path
        try Data(spec).write(to: URL(fileURLWithPath: path + "/spec"))
        let child = try KilledProcessTests.start(
            "DatabaseToKill", "\(Self.variable)=\(verb.rawValue) \(path)")
        var status: Int32 = 0
        let begun = ContinuousClock.now
        while !world.programs.isReached {
            if waitpid(child, &status, WNOHANG) == child { return status == 0 }
            try #require(ContinuousClock.now - begun < .seconds(60), "it does not end")
            usleep(500)
        }
        // Not to wait for anything: the moment is what is tried.
        usleep(useconds_t(delay * 1000))
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        // The program lives on without its agent; a restore may meet it, and then is run again.
        if verb == .restore {
            _ = try? world.subject.store().restore(point: PointID(unchecked: "p1"))
        }
        while !world.programs.isEnded {
            try #require(ContinuousClock.now - begun < .seconds(60), "its program does not end")
            usleep(500)
        }
        return false
    }

    static func carryOut(_ verb: Verb, _ store: PointStore, _ spec: ComponentSpec) throws {
        switch verb {
        case .capture: _ = try take(store, "p2", [spec])
        case .restore: _ = try store.restore(point: PointID(unchecked: "p1"))
        }
    }

    /// What the process that is this one is to do, if it is to be killed.
    static var work: (verb: Verb, path: String)? {
        guard let text = getenv(variable).map({ String(cString: $0) }),
            let space = text.firstIndex(of: " "), let verb = Verb(rawValue: String(text[..<space]))
        else { return nil }
        return (verb, String(text[text.index(after: space)...]))
    }

    /// A server of its own, a database of which there is a point, and one beside it.
    private final class World {
        private static let server = Result { try PostgresCluster() }

        let cluster: PostgresCluster
        let programs: KillingPrograms
        let subject: PostgresSubject
        let captured: String
        let changed: String

        init() throws {
            cluster = try Self.server.get()
            programs = try KillingPrograms(cluster)
            subject = try PostgresSubject(cluster, programs: programs.folder)
            try subject.make()
            try cluster.sql("postgres", "CREATE DATABASE \"other \(subject.database)\"")
            try cluster.sql(
                "other \(subject.database)", "CREATE TABLE t AS SELECT generate_series(1, 9) AS a")
            captured = try subject.view()
            _ = try take(subject.store(), "p1", [subject.spec])
            try subject.change()
            changed = try subject.view()
            _ = try subject.store().restore(point: PointID(unchecked: "p1"))
        }

        /// The points, all of which must be whole.
        func points() throws -> [String] {
            let store = try subject.store()
            let points = try store.list()
            for point in points {
                let problems = try store.verify(point.id, deep: true)
                #expect(problems == [], "\(point.id)")
            }
            return points.map(\.id.rawValue)
        }

        /// What the server holds beside the database itself.
        func others() throws -> [String] {
            let names = try cluster.sql(
                "postgres",
                """
                SELECT datname, datdba, datacl FROM pg_database
                WHERE datname <> '\(subject.database)' ORDER BY datname;
                SELECT rolname, rolsuper, rolcreatedb FROM pg_roles ORDER BY rolname
                """)
            let rows = try cluster.sql("other \(subject.database)", "SELECT a FROM t ORDER BY a")
            return [names, rows]
        }
    }
}

/// psql, pg_dump and pg_restore that count their runs; one of the runs kills.
private struct KillingPrograms {
    let folder: String

    init(_ cluster: PostgresCluster) throws {
        folder = cluster.folder + "/programs"
        mkdir(folder, 0o777)
        // The server's account counts there too.
        chmod(folder, 0o777)
        let script = """
            #!/bin/sh
            umask 0
            here=\(folder)
            real=\(cluster.programs)/${0##*/}
            number=$(($(cat $here/count) + 1))
            echo $number >$here/count
            read -r at victim delay <$here/order
            [ $number = "$at" ] || exec $real "$@"
            : >$here/reached
            if [ $victim = agent ]; then
                $real "$@"
                code=$?
                : >$here/ended
                exit $code
            fi
            exec 3<&0
            $real "$@" <&3 &
            sleep $delay
            if [ $victim = server ]; then
                kill -9 "$(head -n 1 \(cluster.folder)/data/postmaster.pid)"
                wait $!
                exit
            fi
            kill -9 $!
            kill -9 $$
            """
        for program in ["psql", "pg_dump", "pg_restore"] {
            let path = folder + "/" + program
            try Data(script.utf8).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o755)
        }
        try disarm()
    }

    /// Lets the run `number` from now on kill `victim` so many milliseconds after its beginning.
    func arm(_ victim: KilledPostgresTests.Victim, at number: Int, after delay: Int) throws {
        try put("order", "\(number) \(victim.rawValue) 0.\(delay < 10 ? "00" : "0")\(delay)")
        try put("count", "0")
        for name in ["reached", "ended"] { unlink(folder + "/" + name) }
    }

    func disarm() throws {
        try put("order", "0 none 0")
        try put("count", "0")
    }

    var isReached: Bool { access(folder + "/reached", F_OK) == 0 }

    /// True once the run that was reached is over, where it killed nothing itself.
    var isEnded: Bool { access(folder + "/ended", F_OK) == 0 }

    /// In place, so that both accounts may write it.
    private func put(_ name: String, _ text: String) throws {
        let path = folder + "/" + name
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o666)
    }
}

@Suite struct DatabaseToKill {
    @Test(.enabled(if: KilledPostgresTests.work != nil, "it is what KilledPostgresTests kills"))
    func captureOrRestore() throws {
        guard let (verb, path) = KilledPostgresTests.work else { return }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/spec"))
        let spec = try WireJSON.decode(ComponentSpec.self, from: Array(bytes))
        let store = try PointStore(
            directory: path + "/points", root: path + "/root", services: RecordedServices())
        try KilledPostgresTests.carryOut(verb, store, spec)
    }
}
