import FleetWire
import Glibc
import HostProcesses
import SQLiteFile
import Validation

/// The check `storage_backend`.
struct StorageBackendValidator: Validator {
    let spec = ValidatorSpec.storageBackend
    private static let remedy = "look at the database's log, its rights, and the disk's free space"

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let token = "belay-check-\(UInt64.random(in: 0 ... .max))"
        let begun = ContinuousClock.now
        let finding: Finding
        if let path = parameters.text("sqlite") {
            finding = await context.blocking { cancellation in
                Self.sqlite(path, token, context.deadline, cancellation)
            }
        } else if parameters.values["postgres"] != nil {
            let server = CheckParameters(values: parameters.map("postgres"))
            finding = await Self.postgres(server, token, context)
        } else {
            let server = CheckParameters(values: parameters.map("redis"))
            finding = await context.blocking { cancellation in
                Self.redis(server, token, context.deadline, cancellation)
            }
        }
        guard finding.status == .pass else { return finding }
        return TCPValidator.judge(finding.measured, took: Milliseconds(since: begun), parameters)
    }

    // MARK: - SQLite

    private static func sqlite(
        _ path: String, _ token: String, _ deadline: ContinuousClock.Instant,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        guard access(path, F_OK) == 0 else {
            return .fail("\(path) is missing", "restore the database from a rollback point")
        }
        do throws(SQLiteError) {
            // Half of the time is for other processes to let go of it.
            let busy = Milliseconds(since: deadline).count / -2
            let database = try SQLiteConnection(
                path: path, mode: .readWrite, busyMilliseconds: max(1, Int32(clamping: busy)))
            let table = "\"\(token)\""
            let read = try database.until(deadline, or: { cancellation.isCancelled }) {
                () throws(SQLiteError) -> String? in
                try database.run(script: "BEGIN IMMEDIATE")
                try database.execute("CREATE TABLE \(table)(value TEXT)")
                try database.execute("INSERT INTO \(table) VALUES (?)", [.text(token)])
                let rows = try database.query("SELECT value FROM \(table)")
                try database.run(script: "ROLLBACK")
                return rows.first?.first?.text
            }
            return read == token
                ? .pass("\(path) written and read back")
                : .fail("\(path) gave back something else", remedy)
        } catch {
            return error.isBusy || error.isInterrupted
                ? .unknown(error.description, "try again once no other process holds it")
                : .fail(error.description, remedy)
        }
    }

    // MARK: - PostgreSQL

    private static func postgres(
        _ server: CheckParameters, _ token: String, _ context: LookContext
    ) async -> Finding {
        let host = server.text("host") ?? "/var/run/postgresql"
        let database = server["database"]
        let statements = [
            "BEGIN", "CREATE TEMPORARY TABLE belay_check(value text) ON COMMIT DROP",
            "INSERT INTO belay_check VALUES ('\(token)')",
            "DELETE FROM belay_check RETURNING value", "ROLLBACK",
        ]
        let argv =
            [
                "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password",
                "--set", "ON_ERROR_STOP=1", "--host", host, "--port",
                "\(server.whole("port") ?? 5432)", "--username", server["user"], "--dbname",
                // What looks like a connection string would be taken for one.
                "dbname='" + database.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
                    + "'",
            ] + statements.flatMap { ["--command", $0] }
        var environment = [
            "PGAPPNAME": "belay", "PGCONNECT_TIMEOUT": "\(max(2, context.left.count / 1000))",
        ]
        if let file = server.text("password_file") { environment["PGPASSFILE"] = file }
        let result = await context.run(argv, environment: environment)
        let (code, finding) = result.exitCode(context.timeout)
        guard let code else { return finding }
        guard code == 0 else {
            return .fail("database \(database) on \(host), exit \(code)\(result.lastLine)", remedy)
        }
        return result.text.split(whereSeparator: \.isNewline).contains(Substring(token))
            ? .pass("database \(database) on \(host) written and read back")
            : .fail("database \(database) on \(host) gave back something else", remedy)
    }

    // MARK: - Redis

    private static func redis(
        _ server: CheckParameters, _ token: String, _ deadline: ContinuousClock.Instant,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let host = server.text("host") ?? "127.0.0.1"
        let port = "\(server.whole("port") ?? 6379)"
        var password: String?
        if let file = server.text("password_file") {
            guard let text = SmallFile.text(file)?.split(whereSeparator: \.isNewline).first else {
                return .unknown("\(file) holds no password that can be read", "correct the file")
            }
            password = String(text)
        }
        let socket = TCPSocket(deadline: deadline, cancellation: cancellation)
        defer { socket.close() }
        do throws(TCPSocket.Failure) {
            try socket.connect(host: host, port: port)
            var connection = RedisConnection(socket)
            let refusal = try refusal(
                of: &connection, user: server.text("user"), password,
                database: server.whole("database") ?? 0, token)
            guard let refusal else { return .pass("\(host):\(port) written and read back") }
            return .fail("\(host):\(port): \(refusal)", remedy)
        } catch {
            let said = "\(host):\(port): \(error.reason)"
            return error.isLate ? .unknown(said, remedy) : .fail(said, remedy)
        }
    }

    /// Why a value cannot be written, read back and removed; nil if it was.
    private static func refusal(
        of redis: inout RedisConnection, user: String?, _ password: String?, database: Int,
        _ token: String
    ) throws(TCPSocket.Failure) -> String? {
        if let password {
            let reply =
                if let user {
                    try redis.ask("AUTH", user, password)
                } else {
                    try redis.ask("AUTH", password)
                }
            if case .error(let why) = reply { return why }
        }
        if database != 0, case .error(let why) = try redis.ask("SELECT", "\(database)") {
            return why
        }
        if case .error(let why) = try redis.ask("SET", token, token, "EX", "60", "NX") {
            return why
        }
        let read = try redis.ask("GET", token)
        if case .error(let why) = try redis.ask("DEL", token) { return why }
        return read == .text(token) ? nil : "it gave back something else"
    }
}
