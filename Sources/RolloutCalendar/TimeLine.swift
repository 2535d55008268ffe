import RolloutPlan

/// A calendar laid out over time, in seconds since 1970.
struct TimeLine {
    struct Freeze {
        var name: String
        var span: Range<Int64>
    }

    let zone: Zone
    let windows: [WorkCalendar.WeeklyWindow]
    /// Those that last.
    let freezes: [Freeze]

    /// Weekly windows and what a gap of the zone can swallow come again within this.
    private static let daysAhead: Int64 = 15

    init(_ calendar: WorkCalendar, _ zone: Zone) throws(CalendarTrouble) {
        self.zone = zone
        windows = calendar.windows
        var freezes: [Freeze] = []
        for freeze in calendar.freezes {
            guard let from = WallTime(freeze.from) else {
                throw .notATime(freeze.from, freeze: freeze.name)
            }
            guard let to = WallTime(freeze.to) else {
                throw .notATime(freeze.to, freeze: freeze.name)
            }
            let begin = Zone.firstMoment(of: from, in: zone.segments(around: from))
            let end = Zone.lastMoment(of: to, in: zone.segments(around: to))
            if begin < end { freezes.append(Freeze(name: freeze.name, span: begin..<end)) }
        }
        self.freezes = freezes.sorted { $0.span.lowerBound < $1.span.lowerBound }
    }

    func isOpen(at moment: Int64) -> Bool {
        freeze(at: moment) == nil && (windows.isEmpty || window(at: moment) != nil)
    }

    /// The freeze that holds at `moment` and longest.
    func freeze(at moment: Int64) -> Freeze? {
        freezes.filter { $0.span.contains(moment) }.max { $0.span.upperBound < $1.span.upperBound }
    }

    /// The window that is open at `moment`, whatever freezes say.
    func window(at moment: Int64) -> WorkCalendar.WeeklyWindow? {
        spans(around: moment, daysAhead: 1).first { $0.span.contains(moment) }?.window
    }

    /// The first moment after `moment` from which the calendar says something else; nil for never.
    func change(after moment: Int64) -> Int64? {
        isOpen(at: moment) ? closing(after: moment) : opening(after: moment)
    }

    /// When what is open at `moment` closes.
    private func closing(after moment: Int64) -> Int64? {
        let freeze = freezes.map(\.span.lowerBound).filter { $0 > moment }.min()
        guard !windows.isEmpty else { return freeze }
        // Windows that touch are one.
        var end = moment
        let spans = spans(around: moment, daysAhead: Self.daysAhead).map(\.span)
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound })
        where span.lowerBound <= end { end = max(end, span.upperBound) }
        // Two weeks without a gap have none.
        if end >= moment + 14 * 86_400 { return freeze }
        return min(end, freeze ?? end)
    }

    /// When what is closed at `moment` opens: freezes are left one after the other.
    private func opening(after moment: Int64) -> Int64? {
        var place = moment
        for _ in 0...freezes.count {
            if let freeze = freeze(at: place) { place = freeze.span.upperBound }
            if freeze(at: place) != nil { continue }
            if place > moment, windows.isEmpty || window(at: place) != nil { return place }
            let begins = spans(around: place, daysAhead: Self.daysAhead).map(\.span.lowerBound)
            guard let next = begins.filter({ $0 > place }).min() else { return nil }
            if freeze(at: next) == nil { return next }
            place = next
        }
        return nil
    }

    /// The windows that can be open at `moment` or begin in the days after it.
    private func spans(
        around moment: Int64, daysAhead: Int64
    ) -> [(window: WorkCalendar.WeeklyWindow, span: Range<Int64>)] {
        let today = WallTime(seconds: moment + zone.offset(at: moment)).day
        let days = (today - 3)...(today + daysAhead)
        let segments = zone.segments(
            moment - 7 * 86_400, moment + (daysAhead + 4) * 86_400)
        return windows.flatMap { window in
            days.compactMap { day in
                guard window.days.contains(WallTime.weekday(ofDay: day)) else { return nil }
                let isOvernight = window.to <= window.from
                let from = WallTime(day: day, minute: window.from)
                let to = WallTime(day: isOvernight ? day + 1 : day, minute: window.to)
                let begin = Zone.firstMoment(of: from, in: segments)
                let end = Zone.firstMoment(of: to, in: segments)
                return begin < end ? (window, begin..<end) : nil
            }
        }
    }
}
