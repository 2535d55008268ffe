import FleetWire

/// Spans, moments, sizes and counts as people read them.
enum QuantityText {
    /// `840ms`, `1.2s`, `42s`, `1m 42s`, `2h 5m`, `3d 4h`.
    static func span(_ span: Milliseconds) -> String { span.text }

    /// One unit only, for tables: `12s`, `5m`, `3h`, `8d`.
    static func age(_ from: Timestamp, now: Timestamp) -> String {
        let seconds = max(0, now.since(from).count / 1000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86400: return "\(seconds / 3600)h"
        default: return "\(seconds / 86400)d"
        }
    }

    /// Powers of 1024: `512 B`, `1.5 KiB`.
    static func bytes(_ size: ByteCount) -> String {
        guard size.count >= 1024 else { return "\(size.count) B" }
        var value = Double(size.count)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = next
        }
        let tenths = Int((value * 10).rounded())
        return value >= 100 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }

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
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(year)-\(two(month))-\(two(day)) \(clock(moment))"
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
