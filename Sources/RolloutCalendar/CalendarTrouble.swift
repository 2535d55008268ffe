/// Why a calendar cannot be read.
package enum CalendarTrouble: Error, Sendable, Hashable, CustomStringConvertible {
    /// The machine has no time zones at all.
    case noZones(String, folder: String)
    /// It has none of that name.
    case noSuchZone(String, nearest: String?, folder: String)
    /// The zone's file is none.
    case unreadable(String, file: String)
    /// A freeze names a time that is none.
    case notATime(String, freeze: String)

    /// What failed, why, and what can be done.
    package var description: String {
        switch self {
        case .noZones(let zone, let folder):
            "the time zone `\(zone)` cannot be looked up: there is no folder \(folder) on this "
                + "machine; install the package tzdata"
        case .noSuchZone(let zone, let nearest, let folder):
            "no time zone in \(folder) is called `\(zone)`"
                + (nearest.map { "; did you mean `\($0)`?" } ?? "")
        case .unreadable(let zone, let file):
            "the time zone `\(zone)` cannot be read: \(file) is no time zone file; install the "
                + "package tzdata anew"
        case .notATime(let text, let freeze):
            "the freeze `\(freeze)` names `\(text)`, which is no local time such as "
                + "`2026-12-20T00:00`"
        }
    }
}
