package import FleetWire
import Glibc
import SQLiteFile

/// The embedded store: one SQLite file in WAL mode, one fsync a batch.
package actor SQLiteStateStore: StateStore {
    /// What is open; nil once the store was closed.
    private struct Files {
        let database: SQLiteConnection
        let lock: StoreLock
    }

    private var files: Files?
    private var head: (sequence: UInt64, hash: String)

    /// Opens or makes the store in `directory` (mode 0700). Throws `StoreError` when the directory
    /// or the file is open to others or when another process holds it, `SQLiteError` otherwise.
    package init(directory: String) throws {
        try PrivateFiles.requirePrivate(directory)
        let path = directory + "/journal.sqlite"
        let lock = try StoreLock(path: directory + "/journal.lock")
        let mask = umask(0o077)
        defer { umask(mask) }
        for part in [path, path + "-wal", path + "-shm"] where access(part, F_OK) == 0 {
            try PrivateFiles.requirePrivate(part)
        }
        let database = try SQLiteConnection(path: path)
        try database.makeDurable(cacheKiB: 4096)
        try database.transaction {
            try database.run(script: Self.schema)
            try Self.addDigest(to: database)
        }
        let last = try database.query(
            "SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1"
        ).first
        head = (
            UInt64(clamping: last?.first?.integer ?? 0), last?.last?.text ?? JournalRecord.origin
        )
        files = Files(database: database, lock: lock)
    }

    /// Stores of older versions have checkpoints without a digest; those are not used.
    private static func addDigest(to database: SQLiteConnection) throws {
        let columns = try database.query("SELECT name FROM pragma_table_info('checkpoint')")
        guard !columns.contains(where: { $0.first?.text == "digest" }) else { return }
        try database.run(script: "ALTER TABLE checkpoint ADD COLUMN digest TEXT")
    }

    private func database() throws(StoreError) -> SQLiteConnection {
        guard let files else { throw .closed }
        return files.database
    }

    /// See `StateStore`.
    package func close() { files = nil }

    private static let schema = """
        CREATE TABLE IF NOT EXISTS journal (
            sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL,
            stream TEXT NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
            previous TEXT NOT NULL, hash TEXT NOT NULL
        ) STRICT;
        CREATE INDEX IF NOT EXISTS journal_stream ON journal (stream, sequence);
        CREATE TABLE IF NOT EXISTS checkpoint (
            stream TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state BLOB NOT NULL, digest TEXT
        ) STRICT;
        CREATE TABLE IF NOT EXISTS term (
            one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL,
            anchor INTEGER NOT NULL
        ) STRICT;
        INSERT OR IGNORE INTO term VALUES (1, 0, 0);
        """

    /// See `StateStore`.
    package func append(
        _ records: [NewRecord], expecting expected: UInt64
    ) throws -> [JournalRecord] {
        let database = try database()
        guard head.sequence == expected else {
            throw StoreError.conflict(expected: expected, actual: head.sequence)
        }
        guard !records.isEmpty else { return [] }
        var added: [JournalRecord] = []
        CrashPoint.appendBefore.pass()
        try database.transaction {
            var last = head
            for content in records {
                let record = JournalRecord(
                    sequence: last.sequence + 1, content: content, previous: last.hash)
                try Self.insert(record, into: database)
                added.append(record)
                last = (record.sequence, record.hash)
            }
            try database.execute(
                // Adds, so that a journal that was cut off never looks whole again.
                "UPDATE term SET anchor = anchor + ?", [.integer(Int64(records.count))])
        }
        CrashPoint.appendAfter.pass()
        if let last = added.last { head = (last.sequence, last.hash) }
        return added
    }

    private static func insert(
        _ record: JournalRecord, into database: SQLiteConnection
    ) throws(SQLiteError) {
        let content = record.content
        try database.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(Int64(record.sequence)), .integer(content.at.milliseconds),
                .text(content.actor), .text(content.stream), .text(content.kind),
                .blob(content.payload), .text(record.previous), .text(record.hash),
            ])
    }

    /// See `StateStore`.
    package func lastSequence() -> UInt64 { head.sequence }

    /// See `StateStore`.
    package func records(
        after sequence: UInt64, stream: String?, limit: Int
    ) throws -> [JournalRecord] {
        let database = try database()
        let from = SQLiteValue.integer(Int64(clamping: sequence))
        let most = SQLiteValue.integer(Int64(limit))
        let rows =
            if let stream {
                try database.query(
                    "SELECT * FROM journal WHERE stream = ? AND sequence > ? ORDER BY sequence "
                        + "LIMIT ?", [.text(stream), from, most])
            } else {
                try database.query(
                    "SELECT * FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?",
                    [from, most])
            }
        return try rows.map(Self.record)
    }

    private static func record(_ row: [SQLiteValue]) throws -> JournalRecord {
        guard row.count == 8, let sequence = row[0].integer.flatMap(UInt64.init(exactly:)),
            let at = row[1].integer,
            let actor = row[2].text, let stream = row[3].text, let kind = row[4].text,
            let payload = row[5].blob, let previous = row[6].text, let hash = row[7].text
        else { throw StoreError.unusable("a journal row has other columns than it should") }
        return JournalRecord(
            sequence: sequence,
            content: NewRecord(
                at: Timestamp(milliseconds: at), actor: actor, stream: stream, kind: kind,
                payload: payload),
            previous: previous, hash: hash)
    }

    /// See `StateStore`.
    package func streams() throws -> [String] {
        try database().query(
            "SELECT stream FROM journal GROUP BY stream ORDER BY min(sequence)"
        ).compactMap { $0.first?.text }
    }

    /// See `StateStore`.
    package func save(_ checkpoint: Checkpoint) throws {
        CrashPoint.checkpointBefore.pass()
        defer { CrashPoint.checkpointAfter.pass() }
        let database = try database()
        try database.execute(
            "INSERT OR REPLACE INTO checkpoint (stream, sequence, state, digest) "
                + "VALUES (?, ?, ?, ?)",
            [
                .text(checkpoint.stream), .integer(Int64(checkpoint.sequence)),
                .blob(checkpoint.state),
                .text(
                    checkpoint.digest(
                        after: try Self.hash(of: checkpoint.sequence, in: database))),
            ])
    }

    /// See `StateStore`.
    package func checkpoint(of stream: String) throws -> Checkpoint? {
        let database = try database()
        let rows = try database.query(
            "SELECT sequence, state, digest FROM checkpoint WHERE stream = ?", [.text(stream)])
        guard let row = rows.first, let sequence = row[0].integer.flatMap(UInt64.init(exactly:)),
            let state = row[1].blob
        else {
            return nil
        }
        let checkpoint = Checkpoint(stream: stream, sequence: sequence, state: state)
        let hash = try Self.hash(of: sequence, in: database)
        guard row[2].text == checkpoint.digest(after: hash) else {
            throw StoreError.changedCheckpoint(stream: stream, isUnsigned: row[2].text == nil)
        }
        return checkpoint
    }

    /// The hash of a record; nil if it is not there.
    private static func hash(
        of sequence: UInt64, in database: SQLiteConnection
    ) throws(SQLiteError) -> String? {
        let rows = try database.query(
            "SELECT hash FROM journal WHERE sequence = ?", [.integer(Int64(clamping: sequence))])
        return rows.first?.first?.text
    }

    /// See `StateStore`.
    package func raiseGeneration(atLeast least: Generation) throws -> Generation {
        let database = try database()
        CrashPoint.termBefore.pass()
        defer { CrashPoint.termAfter.pass() }
        return try database.transaction {
            try database.execute(
                "UPDATE term SET generation = max(generation + 1, ?)",
                [.integer(Int64(clamping: least.rawValue))])
            let rows = try database.query("SELECT generation FROM term")
            return Generation(rawValue: UInt64(clamping: rows.first?.first?.integer ?? 1))
        }
    }

    /// See `StateStore`.
    package func anchor() throws -> UInt64 {
        let rows = try database().query("SELECT anchor FROM term")
        return UInt64(clamping: rows.first?.first?.integer ?? 0)
    }
}
