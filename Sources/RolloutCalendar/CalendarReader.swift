package import FleetWire
package import RolloutPlan

/// Answers when a rollout may touch new hosts. A window is one stretch of time from its first wall
/// clock time to its second: of a time that clocks show twice the first counts, in the place of one
/// that they skip stands the jump, and a window that is skipped as a whole does not happen. Of a
/// freeze's end that clocks show twice the second counts.
package enum CalendarReader {
    /// One stretch in which hosts may be touched.
    package struct Opening: Sendable, Hashable {
        /// Now, if it is open already.
        package var from: Timestamp
        /// Nil if it never closes.
        package var until: Timestamp?
    }

    /// Reads `calendar` at `now`; the answer holds until its `changesAt`. Throws if the machine
    /// does not know the zone.
    package static func read(
        _ calendar: WorkCalendar, at now: Timestamp, zones: ZoneFolder = .ofThisMachine
    ) throws(CalendarTrouble) -> CalendarReading {
        try read(calendar, at: now, in: zones.zone(named: calendar.zone))
    }

    /// The same with the calendar's zone at hand.
    package static func read(
        _ calendar: WorkCalendar, at now: Timestamp, in zone: Zone
    ) throws(CalendarTrouble) -> CalendarReading {
        let line = try TimeLine(calendar, zone)
        let seconds = now.wholeSeconds
        let isOpen = line.isOpen(at: seconds)
        let changes = line.change(after: seconds)
        return CalendarReading(
            isOpen: isOpen, changesAt: changes.map(Timestamp.init(wholeSeconds:)),
            why: CalendarText(line: line).why(isOpen: isOpen, at: seconds, changesAt: changes))
    }

    /// The next `count` stretches, the present one first if it is open now.
    package static func openings(
        _ calendar: WorkCalendar, from now: Timestamp, count: Int,
        zones: ZoneFolder = .ofThisMachine
    ) throws(CalendarTrouble) -> [Opening] {
        try openings(calendar, from: now, count: count, in: zones.zone(named: calendar.zone))
    }

    /// The same with the calendar's zone at hand.
    package static func openings(
        _ calendar: WorkCalendar, from now: Timestamp, count: Int, in zone: Zone
    ) throws(CalendarTrouble) -> [Opening] {
        let line = try TimeLine(calendar, zone)
        var openings: [Opening] = []
        var moment: Int64? = now.wholeSeconds
        if !line.isOpen(at: now.wholeSeconds) { moment = line.change(after: now.wholeSeconds) }
        while let from = moment, openings.count < count {
            let until = line.change(after: from)
            openings.append(
                Opening(
                    from: max(now, Timestamp(wholeSeconds: from)),
                    until: until.map(Timestamp.init(wholeSeconds:))))
            moment = until.flatMap(line.change)
        }
        return openings
    }
}

extension Timestamp {
    init(wholeSeconds: Int64) { self.init(milliseconds: wholeSeconds * 1000) }
}
