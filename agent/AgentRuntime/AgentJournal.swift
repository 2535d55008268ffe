package import AgentCore
package import FleetWire
import Glibc
import SQLiteFile

/// `journal.sqlite`: every event and the state after it, in one transaction with one fsync.
package final class AgentJournal {
    /// Events kept; older ones are history that reports have told already.
    private static let eventsMax = 5000
    private let database: SQLiteConnection

    /// Opens or makes the journal; throws `SQLiteError` with what to do.
    package init(path: String) throws {
        // SQLite gives its other files the mode of this one.
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw StateDirectory.failure("open", path) }
        close(file)
        database = try SQLiteConnection(path: path)
        try database.makeDurable()
        try database.run(
            script: """
                CREATE TABLE IF NOT EXISTS event(
                    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
                    body BLOB NOT NULL);
                CREATE TABLE IF NOT EXISTS machine(
                    only INTEGER PRIMARY KEY CHECK(only = 1), body BLOB NOT NULL);
                """)
    }

    /// The state after the newest event; a new machine if there was none.
    /// Throws when the stored state cannot be read: better no agent than one that forgot.
    package func load() throws -> HostMachine {
        guard let body = try database.query("SELECT body FROM machine").first?.first?.blob else {
            return HostMachine()
        }
        return try WireJSON.decode(HostMachine.self, from: body)
    }

    /// Makes an event and the state after it durable, or throws and changes nothing.
    package func record(_ event: HostEvent, at now: Timestamp, after machine: HostMachine) throws {
        let body = try WireJSON.encode(event)
        let state = try WireJSON.encode(machine)
        CrashPoint.recordBefore.pass()
        defer { CrashPoint.recordAfter.pass() }
        try database.transaction {
            try database.execute(
                "INSERT INTO event(at, body) VALUES(?, ?)",
                [.integer(now.milliseconds), .blob(body)])
            try database.execute(
                "INSERT INTO machine(only, body) VALUES(1, ?) "
                    + "ON CONFLICT(only) DO UPDATE SET body = excluded.body", [.blob(state)])
            try database.execute(
                "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?",
                [.integer(Int64(Self.eventsMax))])
        }
    }

    /// The events kept, oldest first.
    package func events() throws -> [(at: Timestamp, event: HostEvent)] {
        try database.query("SELECT at, body FROM event ORDER BY number").compactMap { row in
            guard row.count == 2, let at = row[0].integer, let body = row[1].blob else {
                return nil
            }
            return (
                Timestamp(milliseconds: at), try WireJSON.decode(HostEvent.self, from: body)
            )
        }
    }
}
