package import FleetWire
package import RolloutPlan

/// One time zone: at which moments its clocks show what.
package struct Zone: Sendable, Hashable {
    /// From `at` on clocks are `offset` ahead of UTC; both in seconds.
    struct Change: Sendable, Hashable {
        var at: Int64
        var offset: Int64
    }

    /// A stretch in which the offset stays; `end` is not part of it.
    struct Segment: Sendable, Hashable {
        var begin: Int64
        var end: Int64
        var offset: Int64
    }

    /// `Europe/Berlin`; how it is shown.
    package let name: String
    /// Before the first change.
    let offsetFirst: Int64
    /// In order of time.
    let changes: [Change]
    /// Holds after the last change.
    let rule: ZoneRule?

    /// What the zone's clocks show at `moment`.
    package func wallTime(at moment: Timestamp) -> WallTime {
        let seconds = moment.wholeSeconds
        return WallTime(seconds: seconds + offset(at: seconds))
    }

    func offset(at seconds: Int64) -> Int64 {
        if seconds >= changes.last?.at ?? .min, let rule { return rule.offset(at: seconds) }
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? offsetFirst : changes[low - 1].offset
    }

    /// The stretches that together are `begin` to `end`.
    func segments(_ begin: Int64, _ end: Int64) -> [Segment] {
        var inside = changes.filter { $0.at > begin && $0.at < end }
        if let rule {
            let last = changes.last?.at ?? .min
            inside += rule.changes(begin, end).filter { $0.at > last }
        }
        var segments = [Segment(begin: begin, end: end, offset: offset(at: begin))]
        for change in inside where change.offset != segments[segments.count - 1].offset {
            segments[segments.count - 1].end = change.at
            segments.append(Segment(begin: change.at, end: end, offset: change.offset))
        }
        return segments
    }

    /// The stretches around `time`, wide enough for `firstMoment` and `lastMoment` (clocks differ
    /// from UTC by less than 26 hours, RFC 9636 3.2).
    func segments(around time: WallTime) -> [Segment] {
        segments(time.seconds - 3 * 86_400, time.seconds + 3 * 86_400)
    }

    /// The first moment at which clocks show `time` or later: of a repeated time the first one, of
    /// a skipped one the moment of the jump.
    static func firstMoment(of time: WallTime, in segments: [Segment]) -> Int64 {
        for segment in segments where segment.end + segment.offset > time.seconds {
            return max(segment.begin, time.seconds - segment.offset)
        }
        return segments.last.map(\.end) ?? time.seconds
    }

    /// The end of the last stretch in which clocks show something before `time`: of a repeated time
    /// the last one, of a skipped one the moment of the jump.
    static func lastMoment(of time: WallTime, in segments: [Segment]) -> Int64 {
        for segment in segments.reversed() where segment.begin + segment.offset < time.seconds {
            return min(segment.end, time.seconds - segment.offset)
        }
        return segments.first.map(\.begin) ?? time.seconds
    }
}

extension Timestamp {
    /// Whole seconds since 1970, rounded down.
    var wholeSeconds: Int64 { milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0) }
}
