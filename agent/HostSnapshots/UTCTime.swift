import Glibc

/// A moment in UTC, in the parts that people read.
struct UTCTime {
    private let parts: tm

    /// Nil if the year does not fit the C library's calendar.
    init?(seconds: Int64) {
        var seconds = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return nil }
        self.parts = parts
    }

    /// `20261125`.
    var day: String { digits(dateParts).joined() }
    /// `124330`.
    var time: String { digits(timeParts).joined() }

    /// RFC 3339 with nanoseconds, `2026-11-25T12:43:30.000000005Z`; `@` and seconds since 1970 for
    /// years that it cannot say.
    static func text(seconds: Int64, nanoseconds: UInt32) -> String {
        let fraction = padded(Int(nanoseconds), 9)
        guard let moment = UTCTime(seconds: seconds),
            (0...9999).contains(Int(moment.parts.tm_year) + 1900)
        else { return "@\(seconds).\(fraction)" }
        let date = moment.digits(moment.dateParts).joined(separator: "-")
        let time = moment.digits(moment.timeParts).joined(separator: ":")
        return "\(date)T\(time).\(fraction)Z"
    }

    /// `number` with zeros before it, `width` digits at least.
    static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private var dateParts: [(Int32, Int)] {
        [(parts.tm_year + 1900, 4), (parts.tm_mon + 1, 2), (parts.tm_mday, 2)]
    }
    private var timeParts: [(Int32, Int)] {
        [(parts.tm_hour, 2), (parts.tm_min, 2), (parts.tm_sec, 2)]
    }
    private func digits(_ parts: [(Int32, Int)]) -> [String] {
        parts.map { Self.padded(Int($0.0), $0.1) }
    }
}
