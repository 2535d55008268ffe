/// Why SQLite could not do something.
package struct SQLiteError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The primary result code, as in sqlite3.h.
    package let code: Int32
    /// SQLite's message.
    package let message: String
    /// What was attempted: the statement or the act.
    package let attempt: String
    /// The database file.
    package let path: String

    /// True if another process holds the database.
    package var isBusy: Bool { code == 5 }
    /// True if who runs it stopped it.
    package var isInterrupted: Bool { code == 9 }
    /// True if the file is no database or is damaged.
    package var isCorrupt: Bool { code == 11 || code == 26 }

    /// One sentence with what to do.
    package var description: String {
        let remedy: String
        switch code {
        case 13: remedy = "; free space on its file system and try again"
        case 11, 26: remedy = "; restore it from a backup or a rollback point"
        case 8, 14: remedy = "; check owner and permissions of the file and its directory"
        case 5: remedy = "; another process holds it"
        default: remedy = ""
        }
        return "\(path): \(attempt): \(message) (SQLite \(code))\(remedy)"
    }
}
