import RolloutPlan

/// The rule that a zone follows for good, as the last line of its file says it: a TZ string of
/// POSIX (IEEE 1003.1-2017, 8.3) with the extension of RFC 9636, 3.3.1.
struct ZoneRule: Sendable, Hashable {
    /// The day of a change, each year.
    enum Day: Sendable, Hashable {
        /// `M10.5.0`: the week 1 to 5 (5 is the last) of the month, weekday 0 (Sunday) to 6.
        case weekday(month: Int64, week: Int64, day: Int64)
        /// `J60`: 1 to 365, the 29th of February is never counted.
        case withoutLeapDay(Int64)
        /// `59`: 0 to 365.
        case ofYear(Int64)
    }

    /// Summer time.
    struct Summer: Sendable, Hashable {
        var offset: Int64
        var begin: Day
        /// Seconds after midnight of the clock before the change; -167 to 167 hours.
        var beginTime: Int64
        var end: Day
        var endTime: Int64
    }

    var offset: Int64
    var summer: Summer?

    /// Reads a TZ string; nil unless it is one.
    init?(_ text: some StringProtocol) {
        var reader = Reader(rest: Substring(text))
        guard reader.name(), let offset = reader.time() else { return nil }
        // POSIX counts west of Greenwich.
        self.offset = -offset
        if reader.rest.isEmpty { return }
        guard reader.name() else { return nil }
        var summerOffset = self.offset + 3600
        if let first = reader.rest.first, first != "," {
            guard let given = reader.time() else { return nil }
            summerOffset = -given
        }
        guard let (begin, beginTime) = reader.change(), let (end, endTime) = reader.change(),
            reader.rest.isEmpty
        else { return nil }
        summer = Summer(
            offset: summerOffset, begin: begin, beginTime: beginTime, end: end, endTime: endTime)
    }

    func offset(at seconds: Int64) -> Int64 {
        // A year back holds the change that counts, whatever the hemisphere.
        changes(seconds - 400 * 86_400, seconds + 1).last?.offset ?? offset
    }

    /// The changes after `begin` and before `end`, in order of time.
    func changes(_ begin: Int64, _ end: Int64) -> [Zone.Change] {
        guard let summer else { return [] }
        let first = WallTime.date(ofDay: WallTime(seconds: begin).day).year - 1
        let last = WallTime.date(ofDay: WallTime(seconds: end).day).year + 1
        guard first <= last else { return [] }
        return (first...last).flatMap { year in
            [
                Zone.Change(
                    at: Self.day(summer.begin, year) * 86_400 + summer.beginTime - offset,
                    offset: summer.offset),
                Zone.Change(
                    at: Self.day(summer.end, year) * 86_400 + summer.endTime - summer.offset,
                    offset: offset),
            ]
        }.filter { $0.at > begin && $0.at < end }.sorted { $0.at < $1.at }
    }

    /// Days since 1970.
    private static func day(_ day: Day, _ year: Int64) -> Int64 {
        let begin = WallTime.day(year: year, month: 1, day: 1)
        switch day {
        case .ofYear(let number): return begin + number
        case .withoutLeapDay(let number):
            let isLeap = WallTime.days(ofMonth: 2, year: year) == 29
            return begin + number - 1 + (isLeap && number >= 60 ? 1 : 0)
        case .weekday(let month, let week, let day):
            let first = WallTime.day(year: year, month: month, day: 1)
            let weekday = Int64(WallTime.weekday(ofDay: first) % 7)
            let date = first + (day - weekday + 7) % 7 + (week - 1) * 7
            let length = WallTime.days(ofMonth: month, year: year)
            return date - first >= length ? date - 7 : date
        }
    }
}

extension ZoneRule {
    private struct Reader {
        var rest: Substring

        /// `CET` or `<+1030>`.
        mutating func name() -> Bool {
            if rest.first == "<" {
                guard let close = rest.firstIndex(of: ">") else { return false }
                rest = rest[rest.index(after: close)...]
                return true
            }
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest[letters.endIndex...]
            return letters.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits), range.contains(number) else { return nil }
            rest = rest[digits.endIndex...]
            return number
        }

        mutating func skip(_ mark: Character) -> Bool {
            guard rest.first == mark else { return false }
            rest.removeFirst()
            return true
        }

        /// `[+-]h[:mm[:ss]]` in seconds.
        mutating func time() -> Int64? {
            let isNegative = skip("-")
            if !isNegative { _ = skip("+") }
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            for unit: Int64 in [60, 1] where skip(":") {
                guard let part = number(0...59) else { return nil }
                seconds += part * unit
            }
            return isNegative ? -seconds : seconds
        }

        /// `,M3.5.0/2`.
        mutating func change() -> (Day, Int64)? {
            guard skip(","), let day = day() else { return nil }
            guard skip("/") else { return (day, 7200) }
            return time().map { (day, $0) }
        }

        private mutating func day() -> Day? {
            if skip("J") { return number(1...365).map { .withoutLeapDay($0) } }
            guard skip("M") else { return number(0...365).map { .ofYear($0) } }
            guard let month = number(1...12), skip("."), let week = number(1...5), skip("."),
                let day = number(0...6)
            else { return nil }
            return .weekday(month: month, week: week, day: day)
        }
    }
}
