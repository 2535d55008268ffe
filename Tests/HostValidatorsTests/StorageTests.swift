import FleetWire
import Foundation
import Glibc
import HostProcesses
import SQLiteFile
import Testing

@testable import HostValidators

/// A program that runs until the object is gone.
final class RunningServer {
    private let process = Process()

    init(_ argv: [String], in folder: String) throws {
        process.executableURL = URL(fileURLWithPath: argv[0])
        process.arguments = Array(argv.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    /// Threads that tests run on block signals, and the program inherits that: it would not hear
    /// TERM.
    deinit { kill(process.processIdentifier, SIGKILL) }
}

@Suite struct StorageBackendTests {
    private func sqlite(_ path: String, _ more: [String: ParameterValue] = [:]) -> [String:
        ParameterValue]
    {
        ["sqlite": .text(path)].merging(more) { $1 }
    }

    @Test func aSQLiteDatabaseIsWrittenAndLeftAsItWas() async throws {
        let root = try CheckRoot()
        try root.database("/app.db", "CREATE TABLE t(id); INSERT INTO t VALUES (1)")
        let before = try Data(contentsOf: URL(fileURLWithPath: root.path + "/app.db"))
        try root.place("/noise.db", String(repeating: "no database ", count: 100))
        for row in [
            Row("written", sqlite("/app.db"), .pass, says: "written and read back after"),
            Row("missing", sqlite("/none.db"), .fail, says: "missing"),
            Row("no database", sqlite("/noise.db"), .fail, says: "SQLite 26"),
        ] {
            try await root.expect("storage_backend", row)
        }
        #expect(access(root.path + "/none.db", F_OK) != 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: root.path + "/app.db")) == before)
        let other = try SQLiteConnection(path: root.path + "/app.db", mode: .readWrite)
        try other.run(script: "BEGIN EXCLUSIVE")
        let held = try await root.validate(
            "storage_backend", sqlite("/app.db"), timeout: Milliseconds(400))
        #expect(held.status == .unknown, "\(held)")
    }

    @Test(.enabled(if: access("/usr/bin/redis-server", X_OK) == 0, "needs redis-server"))
    func aRedisDatabaseIsWrittenAndLeftAsItWas() async throws {
        let root = try CheckRoot()
        let port = try ListeningPort().port
        try root.place("/password", "hunter2\n", mode: 0o600)
        try root.place("/wrong", "hunter3\n")
        try root.place("/empty", "")
        let server = try RunningServer(
            [
                "/usr/bin/redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "",
                "--requirepass", "hunter2", "--databases", "2",
            ], in: root.path)
        func asked(_ more: [String: ParameterValue]) -> [String: ParameterValue] {
            ["redis": .map(["port": .whole(port)].merging(more) { $1 })]
        }
        let good: [String: ParameterValue] = ["password_file": .text("/password")]
        for _ in 0..<200 {
            if try await root.validate("storage_backend", asked(good)).status == .pass { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        for row in [
            Row("written", asked(good), .pass, says: "127.0.0.1:\(port) written and read back"),
            Row("another one", asked(good.merging(["database": .whole(1)]) { $1 }), .pass),
            Row(
                "none such", asked(good.merging(["database": .whole(7)]) { $1 }), .fail,
                says: "range"),
            Row("by name", asked(good.merging(["user": .text("default")]) { $1 }), .pass),
            Row("no password", asked([:]), .fail, says: "NOAUTH"),
            Row("a wrong one", asked(["password_file": .text("/wrong")]), .fail, says: "WRONGPASS"),
            Row("an empty file", asked(["password_file": .text("/empty")]), .unknown),
        ] {
            try await root.expect("storage_backend", row)
            #expect(
                try await !"\(root.validate("storage_backend", row.parameters))".contains("hunter"))
        }
        let count = try await root.check(
            .run(
                RunCheck(
                    run: RunStep(
                        argv: [
                            "redis-cli", "-p", "\(port)", "--no-auth-warning", "-a", "hunter2",
                            "dbsize",
                        ], shell: nil, env: [:], directory: nil), contains: "0")))
        #expect(count.status == .pass, "\(count)")
        withExtendedLifetime(server) {}
    }

    @Test func whatIsNotRedisNeverPasses() async throws {
        let root = try CheckRoot()
        let http = try AnsweringPort([.init(body: "")])
        let port = Int(http.url.split(separator: ":").last ?? "") ?? 0
        func asked(_ port: Int) -> [String: ParameterValue] {
            ["redis": .map(["port": .whole(port)])]
        }
        let strange = try await root.validate(
            "storage_backend", asked(port), timeout: .seconds(5))
        #expect(strange.status == .fail || strange.status == .unknown, "\(strange)")
        let closed = try ListeningPort().port
        try await root.expect(
            "storage_backend", Row("refused", asked(closed), .fail, says: "refused"))
        let silent = try ListeningPort()
        let late = try await root.validate(
            "storage_backend", asked(silent.port), timeout: Milliseconds(300))
        #expect(late.status == .unknown)
    }

    @Test(.enabled(if: TestPostgres.isThere, "needs PostgreSQL's server and psql"))
    func aPostgresDatabaseIsWrittenAndLeftAsItWas() async throws {
        try await TestPostgres.with { server in
            let root = try CheckRoot()
            func asked(_ more: [String: ParameterValue] = [:]) -> [String: ParameterValue] {
                [
                    "postgres": .map(
                        [
                            "host": .text(server.folder), "user": .text("admin"),
                            "database": .text("postgres"),
                        ]
                        .merging(more) { $1 })
                ]
            }
            for row in [
                Row("written", asked(), .pass, says: "database postgres on"),
                Row(
                    "no database", asked(["database": .text("none")]), .fail, says: "does not exist"
                ),
                Row("no user", asked(["user": .text("none")]), .fail),
                Row(
                    "an odd name", asked(["database": .text("a'b\\c")]), .fail,
                    says: "does not exist"),
                Row("no server", asked(["host": .text("/none")]), .fail),
            ] {
                try await root.expect("storage_backend", row)
            }
            let late = try await root.validate(
                "storage_backend",
                asked().merging(["latency_max": .whole(1), "latency_warn": .whole(1)]) { $1 })
            #expect(
                late.status == .fail && late.threshold?.contains("latency_max") == true, "\(late)")
            let slow = try await root.validate(
                "storage_backend", asked().merging(["latency_warn": .whole(1)]) { $1 })
            #expect(slow.status == .warn, "\(slow)")
        }
    }
}

/// A server of PostgreSQL on a socket in a folder of its own; it ends with the object.
final class TestPostgres {
    private static let programs = ["17", "16", "15", "14", "13"].map {
        "/usr/lib/postgresql/\($0)/bin"
    }
    .first { access($0 + "/initdb", X_OK) == 0 }
    private static let account = geteuid() == 0 ? "postgres" : nil

    static var isThere: Bool {
        programs != nil && access("/usr/bin/psql", X_OK) == 0
            && (account == nil || getpwnam("postgres") != nil)
    }

    let folder: String
    private let programs: String

    /// Runs `body` beside a server, which is stopped and removed afterwards.
    static func with(_ body: (TestPostgres) async throws -> Void) async throws {
        let server = try TestPostgres()
        do {
            try await server.start()
            try await body(server)
            try await server.stop()
        } catch {
            try? await server.stop()
            throw error
        }
    }

    private init() throws {
        programs = try #require(Self.programs)
        var template = Array("/tmp/belay-pg-XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
        if let account = Self.account {
            chown(folder, try #require(getpwnam(account)).pointee.pw_uid, 0)
        }
    }

    private func start() async throws {
        try await run(
            "initdb", "-D", folder + "/data", "-A", "trust", "-U", "admin", "--no-sync", "-E",
            "UTF8", "--locale=C")
        try await run(
            "pg_ctl", "-D", folder + "/data", "-w", "-l", folder + "/log", "-o",
            "-c listen_addresses='' -c unix_socket_directories=\(folder) -c fsync=off", "start")
    }

    private func stop() async throws {
        try await run("pg_ctl", "-D", folder + "/data", "-m", "immediate", "stop")
        try FileManager.default.removeItem(atPath: folder)
    }

    private func run(_ name: String, _ arguments: String...) async throws {
        let prefix = Self.account.map { ["runuser", "-u", $0, "--"] } ?? []
        let result = await ProcessRun(
            argv: prefix + [programs + "/" + name] + arguments,
            environment: ["PATH": ProcessRun.path, "LANG": "C.UTF-8"], directory: folder,
            timeout: .seconds(60)
        ).run()
        try #require(result.ending == .exited(0), "\(name): \(result.text)")
    }
}
