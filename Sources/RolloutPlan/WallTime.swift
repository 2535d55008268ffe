import FleetWire

/// A moment as a clock on a wall shows it, without a zone: which moment it is, or whether it is one
/// at all, only a zone can tell.
package struct WallTime: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01 00:00 on the same clock.
    package var seconds: Int64

    /// The time `seconds` after 1970-01-01 00:00.
    package init(seconds: Int64) { self.seconds = seconds }

    /// `minute` minutes after midnight of `day`, which counts from 1970-01-01; a minute of 1440 or
    /// more is on a later day.
    package init(day: Int64, minute: Int) { seconds = day * 86_400 + Int64(minute) * 60 }

    /// Reads `2026-12-20T00:00`, and only that form; nil for a date that no calendar has.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54,
            bytes[13] == 0x3A
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            let digits = bytes[range]
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), year >= 1970,
            (1...12).contains(month), day >= 1, day <= Self.days(ofMonth: month, year: year),
            hour < 24, minute < 60
        else { return nil }
        self.init(
            day: Self.day(year: year, month: month, day: day), minute: Int(hour * 60 + minute))
    }

    /// Days since 1970-01-01.
    package var day: Int64 { Self.floor(seconds, by: 86_400) }
    /// Minutes since midnight.
    package var minute: Int { Int((seconds - day * 86_400) / 60) }
    /// 1 is Monday, 7 is Sunday.
    package var weekday: Int { Self.weekday(ofDay: day) }

    /// `2026-12-20T00:00`, the form that `init(_:)` reads.
    package var text: String { "\(date)T\(Self.clock(minute))" }
    /// `Sun 2026-12-20 00:00`.
    package var spoken: String {
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        return "\(names[weekday - 1]) \(date) \(Self.clock(minute))"
    }

    private var date: String {
        let (year, month, day) = Self.date(ofDay: day)
        let digits = String(year)
        let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
        return "\(zeros)\(digits)-\(Self.two(month))-\(Self.two(day))"
    }

    /// Earlier on the clock.
    package static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }

    /// `09:05` of minutes since midnight; `24:00` of 1440.
    package static func clock(_ minute: Int) -> String {
        "\(two(Int64(minute / 60))):\(two(Int64(minute % 60)))"
    }

    /// 1 is Monday, 7 is Sunday; `day` counts from 1970-01-01, a Thursday.
    package static func weekday(ofDay day: Int64) -> Int { Int(((day + 3) % 7 + 7) % 7) + 1 }

    /// Days since 1970-01-01, in the Gregorian calendar: Howard Hinnant, "chrono-Compatible
    /// Low-Level Date Algorithms", days_from_civil.
    package static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floor(shifted, by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The same backwards, civil_from_days.
    package static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        CivilDate.date(ofDay: day)
    }

    /// 28 to 31.
    package static func days(ofMonth month: Int64, year: Int64) -> Int64 {
        month == 12
            ? 31 : day(year: year, month: month + 1, day: 1) - day(year: year, month: month, day: 1)
    }

    private static func floor(_ number: Int64, by divisor: Int64) -> Int64 {
        number / divisor - (number % divisor < 0 ? 1 : 0)
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
