/// Days of the week as plans name them.
struct WeekDays {
    /// Monday first.
    static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// 1 is Monday, 7 is Sunday; in the order of the range.
    let days: [Int]

    /// Reads `mon` or `fri-mon`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first.flatMap(Self.names.firstIndex), parts.count <= 2,
            let last = parts.last.flatMap(Self.names.firstIndex)
        else { return nil }
        let length = (last - first + 7) % 7
        days = (0...length).map { (first + $0) % 7 + 1 }
    }

    /// Reads `09:00` to `24:00` in minutes; nil for anything else.
    static func minute(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == 0x3A else { return nil }
        let digits = [0, 1, 3, 4].map { Int(bytes[$0]) - 0x30 }
        guard digits.allSatisfy((0...9).contains) else { return nil }
        let hour = digits[0] * 10 + digits[1]
        let minute = digits[2] * 10 + digits[3]
        return minute < 60 && hour * 60 + minute <= 1440 ? hour * 60 + minute : nil
    }
}

extension WorkCalendar.WeeklyWindow {
    /// `mon-thu 09:00-16:00`.
    package var text: String {
        let known = WeekDays.names
        let days = Set(days).intersection(1...7).sorted()
        var runs: [ClosedRange<Int>] = []
        for day in days {
            if let last = runs.last, last.upperBound == day - 1 {
                runs[runs.count - 1] = last.lowerBound...day
            } else {
                runs.append(day...day)
            }
        }
        let names = runs.map { run in
            let first = known[run.lowerBound - 1]
            switch run.count {
            case 1: return first
            case 2: return "\(first),\(known[run.upperBound - 1])"
            default: return "\(first)-\(known[run.upperBound - 1])"
            }
        }
        let when = days.count == 7 ? "every day" : names.joined(separator: ",")
        return "\(when) \(WallTime.clock(from))-\(WallTime.clock(to))"
    }
}
