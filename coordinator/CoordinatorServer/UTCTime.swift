import FleetWire

/// A moment in UTC for people, computed here so that no locale or time zone of the machine shows.
struct UTCTime {
    let year: Int
    let month: Int
    let day: Int
    let second: Int
    let millisecond: Int

    /// Howard Hinnant's `civil_from_days`, http://howardhinnant.github.io/date_algorithms.html.
    init(_ time: Timestamp) {
        let milliseconds = max(0, min(time.milliseconds, 253_402_300_799_000))
        let days = Int(milliseconds / 86_400_000) + 719_468
        let rest = Int(milliseconds % 86_400_000)
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        second = rest / 1000
        millisecond = rest % 1000
    }

    /// `20261124`.
    var compactDate: String { "\(year)\(Self.two(month))\(Self.two(day))" }

    /// `2026-11-24 23:59:59Z`.
    var text: String {
        "\(year)-\(Self.two(month))-\(Self.two(day)) "
            + "\(Self.two(second / 3600)):\(Self.two(second / 60 % 60)):\(Self.two(second % 60))Z"
    }

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
