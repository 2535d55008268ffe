import FleetWire
import RolloutPlan

/// A moment in UTC for people, computed here so that no locale or time zone of the machine shows.
struct UTCTime {
    let year: Int
    let month: Int
    let day: Int
    let second: Int
    let millisecond: Int

    init(_ time: Timestamp) {
        let milliseconds = max(0, min(time.milliseconds, 253_402_300_799_000))
        let rest = Int(milliseconds % 86_400_000)
        let date = WallTime.date(ofDay: milliseconds / 86_400_000)
        year = Int(date.year)
        month = Int(date.month)
        day = Int(date.day)
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
