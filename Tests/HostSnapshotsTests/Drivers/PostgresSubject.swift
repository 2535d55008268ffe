import FleetWire
import Foundation
import Glibc
import HostProcesses
import Synchronization

@testable import HostSnapshots

/// A server in a folder of its own, on a Unix socket there; it is stopped and removed when the process
/// ends.
final class PostgresCluster: Sendable {
    /// One for all tests that let it live.
    static let shared = Result { try PostgresCluster() }

    /// Where Debian and others put the programs, newest first.
    private static let programs: String? = {
        let base = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        let folders =
            versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "\(base)/\($0)/bin" }
            + ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"]
        return folders.first { access($0 + "/initdb", X_OK) == 0 }
    }()

    /// The server refuses to run as root.
    private static let account: String? = {
        guard geteuid() == 0 else { return nil }
        return ["postgres", "nobody"].first { getpwnam($0) != nil }
    }()

    static var missing: String? {
        if programs == nil { return "PostgreSQL's server is not installed" }
        return geteuid() == 0 && account == nil ? "there is no account to run the server" : nil
    }

    let folder: String
    let programs: String
    let account: String?

    init() throws {
        guard let programs = Self.programs else { throw TestFailure("no server") }
        self.programs = programs
        account = Self.account
        var template = Array("/tmp/belay-postgres-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp") }
        folder = String(cString: made)
        if let account { try Scratch.run(["chown", account, folder]) }
        try Self.watch(folder, account.map { ["runuser", "-u", $0, "--"] } ?? [], programs)
        try run(
            "initdb", "-D", folder + "/data", "-A", "trust", "-U", "admin", "--no-sync",
            "-E", "UTF8", "--locale=C")
        try start()
        Self.stopAtEnd(folder, account.map { ["runuser", "-u", $0, "--"] } ?? [], programs)
    }

    /// Starts the server; one that was killed may need a moment until its last process is gone.
    func start() throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                try run(
                    "pg_ctl", "-D", folder + "/data", "-w", "-l", folder + "/log", "-o",
                    "-c listen_addresses='' -c unix_socket_directories=\(folder) -c fsync=off",
                    "start")
                return
            } catch {
                if ContinuousClock.now > deadline { throw error }
                usleep(20_000)
            }
        }
    }

    /// Ends the server and removes its folder when this process is gone, however it ends: then the
    /// pipe that another process reads has no writer any more. `setsid --wait` lives as long as
    /// that process: an ended child that nobody reaps makes every later exit test wait for ever.
    private static func watch(_ folder: String, _ prefix: [String], _ programs: String) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestFailure("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let script = """
            cat >/dev/null; n=0
            while [ -d "$1" ] && [ $n -lt 20 ]; do
                "$2/pg_ctl" -D "$1/data" -m immediate stop && break; n=$((n + 1)); sleep 0.5
            done
            rm -rf "$1"
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["setsid", "--wait"] + prefix + ["sh", "-c", script, "sh", folder, programs]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    private static func stopAtEnd(_ folder: String, _ prefix: [String], _ programs: String) {
        ending.withLock {
            $0.append(
                prefix + [programs + "/pg_ctl", "-D", folder + "/data", "-m", "immediate", "stop"])
        }
        atexit {
            let argv = PostgresCluster.ending.withLock { $0.removeLast() }
            _ = try? PostgresCluster.finish(argv)
            if let data = argv.firstIndex(of: "-D") {
                let folder = argv[data + 1].dropLast("/data".count)
                _ = try? Scratch.run(["rm", "-rf", String(folder)])
            }
        }
    }

    private static let ending = Mutex<[[String]]>([])

    /// By `ProcessRun`, which passes no other descriptor on: a server would hold them for ever.
    @discardableResult
    func run(_ program: String, _ arguments: String...) throws -> String {
        let prefix = account.map { ["runuser", "-u", $0, "--"] } ?? []
        return try Self.finish(prefix + ["\(programs)/\(program)"] + arguments)
    }

    @discardableResult
    private static func finish(_ argv: [String]) throws -> String {
        var run = ProcessRun(
            argv: argv, environment: ["PATH": ProcessRun.path, "LANG": "C.UTF-8"],
            directory: "/", timeout: .seconds(60))
        run.outputBytesMax = 1 << 20
        let result = run.runBlocking()
        let text = String(decoding: result.output, as: UTF8.self)
        guard result.ending == .exited(0) else {
            throw TestFailure("\(argv): \(result.ending) \(text)")
        }
        return text
    }

    @discardableResult
    func sql(_ database: String, _ script: String) throws -> String {
        try run(
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", "admin", "-d", database,
            "-c", script)
    }
}

/// A database with what a dump can lose: rows, a sequence, privileges, settings, a comment.
final class PostgresSubject: DriverSubject {
    let scratch: Scratch
    let spec: ComponentSpec
    let isAtomic = true
    let cluster: PostgresCluster
    let database: String

    /// In the server of all tests, unless `cluster` is another; `programs` take the place of its own.
    init(_ cluster: PostgresCluster? = nil, programs: String? = nil) throws {
        scratch = try Scratch()
        let cluster = try cluster ?? PostgresCluster.shared.get()
        self.cluster = cluster
        database = "Sample " + scratch.path.suffix(6)
        spec = ComponentSpec(
            name: try name("thing"),
            driver: .postgres(
                PostgresComponent(
                    database: database, host: cluster.folder, user: "admin",
                    account: cluster.account, programs: programs ?? cluster.programs,
                    timeout: .seconds(60))), restart: false)
    }

    deinit { try? remove() }

    /// A client that stays connected to the database once it carried out `script`, which has to say
    /// something.
    func connect(_ script: String) throws -> PostgresClient {
        try PostgresClient(cluster, database, script)
    }

    func make() throws {
        let role = "reader" + scratch.path.suffix(6)
        try cluster.sql("postgres", "CREATE DATABASE \"\(database)\" ENCODING 'UTF8'")
        if try cluster.sql("postgres", "SELECT 1 FROM pg_roles WHERE rolname = '\(role)'").isEmpty {
            try cluster.sql("postgres", "CREATE ROLE \"\(role)\"")
        }
        try cluster.sql(
            "postgres",
            """
            REVOKE CONNECT ON DATABASE "\(database)" FROM PUBLIC;
            GRANT CONNECT ON DATABASE "\(database)" TO "\(role)";
            ALTER DATABASE "\(database)" SET work_mem TO '5MB';
            COMMENT ON DATABASE "\(database)" IS 'it''s for tests'
            """)
        try cluster.sql(
            database,
            """
            CREATE TABLE orders (id serial PRIMARY KEY, note text);
            INSERT INTO orders (note) SELECT 'note ' || n FROM generate_series(1, 500) n;
            INSERT INTO orders (note) VALUES (E'\\\\restrict me\\n-- Dumped by me');
            GRANT SELECT ON orders TO "\(role)"
            """)
    }

    func change() throws {
        try cluster.sql(database, "DELETE FROM orders WHERE id < 10; CREATE TABLE added (a int)")
        try cluster.sql("postgres", "ALTER DATABASE \"\(database)\" SET work_mem TO '6MB'")
    }

    func remove() throws {
        for name in try cluster.sql("postgres", "SELECT datname FROM pg_database").split(
            separator: "\n")
        where name == database || name.hasPrefix("belay~") {
            try cluster.sql("postgres", "DROP DATABASE \"\(name)\" WITH (FORCE)")
        }
    }

    func breakIt() throws {
        try cluster.sql("postgres", "ALTER DATABASE \"\(database)\" ALLOW_CONNECTIONS false")
    }

    /// The order of privileges in a list means nothing.
    private func sorted(_ column: String) -> String {
        "(SELECT string_agg(item::text, ',' ORDER BY item::text) FROM unnest(\(column)) item)"
    }

    func view() throws -> String {
        let row = try cluster.sql(
            "postgres",
            """
            SELECT \(sorted("datacl")), encoding, datcollate, pg_get_userbyid(datdba), setconfig,
                shobj_description(d.oid, 'pg_database')
            FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid
            WHERE datname = '\(database)'
            """)
        if row.isEmpty { return "absent" }
        return try row
            + cluster.sql(
                database,
                """
                SELECT count(*), sum(hashtext(note)::bigint), (SELECT last_value FROM orders_id_seq)
                FROM orders;
                SELECT relname, \(sorted("relacl")), relkind FROM pg_class
                WHERE relnamespace = 'public'::regnamespace ORDER BY relname
                """)
    }
}

/// `psql` that is connected until it is ended.
final class PostgresClient {
    private let process = Process()
    private let input = Pipe()

    fileprivate init(_ cluster: PostgresCluster, _ database: String, _ script: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: cluster.programs + "/psql")
        process.arguments = ["-XAtq", "-h", cluster.folder, "-U", "admin", "-d", database]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        input.fileHandleForWriting.write(Data(script.utf8))
        _ = output.fileHandleForReading.availableData
    }

    func end() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
