import CSQLite

/// One connection to a SQLite database, used by one task at a time. Not `Sendable`: an actor or a
/// thread owns it. Statements are bound, never pasted together.
package final class SQLiteConnection {
    /// How a file is opened.
    package enum Mode: Sendable { case readOnly, readWrite, create }

    /// The database file.
    package let path: String
    let handle: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]

    /// Opens `path` (`:memory:` too); waits up to `busyMilliseconds` for other processes.
    /// Throws `SQLiteError`.
    package init(
        path: String, mode: Mode = .create, busyMilliseconds: Int32 = 5000
    ) throws(SQLiteError) {
        var opened: OpaquePointer?
        let flags =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code & 0xFF, message: message, attempt: "open", path: path)
        }
        handle = opened
        self.path = path
        sqlite3_busy_timeout(handle, busyMilliseconds)
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// Makes it durable: WAL, one fsync a transaction, foreign keys, a cache of `cacheKiB`.
    package func makeDurable(cacheKiB: Int = 512) throws(SQLiteError) {
        try run(script: "PRAGMA journal_mode=WAL")
        try run(script: "PRAGMA synchronous=FULL")
        try run(script: "PRAGMA foreign_keys=ON")
        try run(script: "PRAGMA cache_size=-\(cacheKiB)")
    }

    /// Runs a text of several statements, without parameters.
    package func run(script: String) throws(SQLiteError) {
        var text: UnsafeMutablePointer<CChar>?
        let code = sqlite3_exec(handle, script, nil, nil, &text)
        guard code == SQLITE_OK else {
            let message = text.map { String(cString: $0) } ?? "unknown error"
            sqlite3_free(text)
            throw SQLiteError(
                code: code & 0xFF, message: message, attempt: String(script.prefix(120)), path: path
            )
        }
    }

    /// Runs one statement; gives the number of rows that it changed.
    @discardableResult
    package func execute(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) -> Int {
        _ = try query(sql, values)
        return Int(sqlite3_changes(handle))
    }

    /// Runs one statement and gives all its rows.
    package func query(
        _ sql: String, _ values: [SQLiteValue] = []
    ) throws(SQLiteError) -> [[SQLiteValue]] {
        var rows: [[SQLiteValue]] = []
        try forEachRow(sql, values) { rows.append($0) }
        return rows
    }

    /// Runs one statement and gives its rows one by one.
    package func forEachRow(
        _ sql: String, _ values: [SQLiteValue] = [], _ body: ([SQLiteValue]) -> Void
    ) throws(SQLiteError) {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { bind(value, at: Int32(index + 1), statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: body(row(of: statement))
            case SQLITE_DONE: return
            default: throw failure(sql)
            }
        }
    }

    /// Runs `body` in one IMMEDIATE transaction; all of it is durable on return, or none if it threw.
    package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try run(script: "BEGIN IMMEDIATE")
        do {
            let result = try body()
            try run(script: "COMMIT")
            return result
        } catch {
            if sqlite3_get_autocommit(handle) == 0 { try? run(script: "ROLLBACK") }
            throw error
        }
    }

    /// Copies the live database to the file `target`, which must not exist; writers may go on.
    /// `isStopped` is asked every 4,096 pages: once it is true this throws SQLITE_INTERRUPT.
    package func backup(
        to target: String, isStopped: () -> Bool = { false }
    ) throws(SQLiteError) {
        let copy = try SQLiteConnection(path: target)
        guard let backup = sqlite3_backup_init(copy.handle, "main", handle, "main") else {
            throw copy.failure("begin the backup of \(path)")
        }
        var code = SQLITE_OK
        var busyTries = 0
        while true {
            if isStopped() {
                code = SQLITE_INTERRUPT
                break
            }
            code = sqlite3_backup_step(backup, 4096)
            if code == SQLITE_BUSY || code == SQLITE_LOCKED {
                busyTries += 1
                guard busyTries < 400 else { break }
                sqlite3_sleep(25)
            } else if code != SQLITE_OK {
                break
            }
        }
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else {
            throw SQLiteError(
                code: code & 0xFF, message: String(cString: sqlite3_errstr(code)),
                attempt: "back up to \(target)", path: path)
        }
    }

    /// What `PRAGMA integrity_check` and `foreign_key_check` found; empty if all is well.
    package func problems() throws(SQLiteError) -> [String] {
        let integrity = try query("PRAGMA integrity_check").compactMap { $0.first?.text }
        let orphans = try query("PRAGMA foreign_key_check").map { row in
            "row \(row.dropFirst().first?.integer ?? 0) of \(row.first?.text ?? "?") "
                + "refers to nothing"
        }
        return integrity.filter { $0 != "ok" } + orphans
    }

    /// `PRAGMA user_version`.
    package func userVersion() throws(SQLiteError) -> Int {
        Int(try query("PRAGMA user_version").first?.first?.integer ?? 0)
    }

    private func prepared(_ sql: String) throws(SQLiteError) -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement
        else {
            throw failure(sql)
        }
        statements[sql] = statement
        return statement
    }

    private func bind(_ value: SQLiteValue, at index: Int32, _ statement: OpaquePointer) {
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let number): sqlite3_bind_int64(statement, index, number)
        case .real(let number): sqlite3_bind_double(statement, index, number)
        case .text(let text):
            _ = belay_bind_text(statement, index, text, Int32(text.utf8.count))
        case .blob(let bytes):
            _ = belay_bind_blob(statement, index, bytes, Int32(bytes.count))
        }
    }

    private func row(of statement: OpaquePointer) -> [SQLiteValue] {
        (0..<sqlite3_column_count(statement)).map { column in
            switch sqlite3_column_type(statement, column) {
            case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
            case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
            case SQLITE_TEXT:
                return .text(
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
            case SQLITE_BLOB:
                let count = Int(sqlite3_column_bytes(statement, column))
                let start = sqlite3_column_blob(statement, column)
                return .blob(Array(UnsafeRawBufferPointer(start: start, count: count)))
            default: return .null
            }
        }
    }

    private func failure(_ attempt: String) -> SQLiteError {
        SQLiteError(
            code: sqlite3_errcode(handle) & 0xFF, message: String(cString: sqlite3_errmsg(handle)),
            attempt: String(attempt.prefix(120)), path: path)
    }
}
