import FleetWire
import RolloutPlan

/// Spans, moments, sizes and counts as people read them.
enum QuantityText {
    /// `840ms`, `1.2s`, `42s`, `1m 42s`, `2h 5m`, `3d 4h`.
    static func span(_ span: Milliseconds) -> String { span.text }

    /// `1 host`, `6 hosts`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)" + (number == 1 ? "" : "s")
    }

    /// `23:05:01Z`.
    static func clock(_ moment: Timestamp) -> String {
        let second = ((moment.milliseconds / 1000) % 86400 + 86400) % 86400
        return "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }

    /// `2026-11-24 23:05:01Z`.
    static func date(_ moment: Timestamp) -> String {
        var days = moment.milliseconds / 86_400_000
        if moment.milliseconds % 86_400_000 < 0 { days -= 1 }
        let (year, month, day) = WallTime.date(ofDay: days)
        return "\(year)-\(two(month))-\(two(day)) \(clock(moment))"
    }

    /// `in 10m`, `in 42s`; `now` for what is due.
    static func ahead(_ moment: Timestamp, of now: Timestamp) -> String {
        let left = moment.since(now).count
        return left > 0 ? "in \(span(.seconds((left + 999) / 1000)))" : "now"
    }

    /// Reads `500ms`, `30s`, `5m`, `2h`, `7d`; nil for anything else.
    static func span(parsing text: String) -> Milliseconds? {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = Int64(text.dropLast(unit.count)), number >= 0 else { continue }
            let (span, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : Milliseconds(span)
        }
        return nil
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
