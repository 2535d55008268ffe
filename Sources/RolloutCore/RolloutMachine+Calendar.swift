import FleetWire
import RolloutPlan

/// What the machine knows of the plan's calendar.
struct CalendarRecord: Codable, Hashable, Sendable {
    var reading: CalendarReading?
    /// When it was asked for and not answered yet.
    var askedAt: Timestamp?
    /// Since when it says what it says.
    var since: Timestamp?
}

/// Windows and freezes: while they are closed no host begins to migrate. All else goes on.
extension RolloutMachine {
    /// True if hosts may begin to migrate. A reading holds until the moment that it names.
    var isOpen: Bool {
        guard plan?.pace.calendar != nil else { return true }
        guard let reading = calendar.reading, reading.isOpen else { return false }
        return reading.changesAt.map { now < $0 } ?? true
    }

    /// True if hosts may begin all the time until then.
    func mayGoUntil(_ end: Timestamp) -> Bool {
        guard plan?.pace.calendar != nil else { return true }
        return isOpen && calendar.reading?.changesAt.map { end < $0 } ?? true
    }

    /// True while some host may still have to begin.
    private var needsCalendar: Bool {
        switch state {
        case .running, .paused, .rollingBack: true
        case .succeeded: awaitsLate
        case .planned, .awaitingApproval, .rolledBack, .rollbackFailed, .aborted: false
        }
    }

    /// When the calendar has to be asked (again).
    var calendarMoment: Timestamp? {
        guard plan?.pace.calendar != nil, needsCalendar else { return nil }
        if let asked = calendar.askedAt { return asked + RolloutLimit.askAgainAfter }
        return calendar.reading?.changesAt
    }

    mutating func askCalendar() {
        guard let asked = plan?.pace.calendar, needsCalendar else { return }
        calendar.askedAt = now
        wake(by: now + RolloutLimit.askAgainAfter)
        effects.append(.readCalendar(asked))
    }

    mutating func askCalendarIfDue() {
        if let moment = calendarMoment, moment <= now { askCalendar() }
    }

    mutating func hear(_ reading: CalendarReading) {
        guard plan?.pace.calendar != nil, needsCalendar else {
            note("ignored what the calendar says: nothing waits for it")
            return
        }
        let old = calendar.reading
        calendar.reading = reading
        calendar.askedAt = nil
        if let moment = reading.changesAt { wake(by: moment) }
        guard old?.isOpen != reading.isOpen || old?.why != reading.why else { return }
        if old?.isOpen != reading.isOpen { calendar.since = now }
        note(
            reading.isOpen
                ? "hosts may be touched now: \(reading.why)"
                : "no further host is touched for now: \(reading.why)")
    }

    /// Why no host begins, if that is the calendar.
    var calendarWhy: WhyView? {
        guard !isOpen else { return nil }
        let then = "hosts go on to migrate when it opens; what runs on hosts goes on"
        guard let reading = calendar.reading, !reading.isOpen else {
            return WhyView(
                waitsFor: "No further host is touched before the calendar was read",
                since: calendar.askedAt ?? since, next: then, nextAt: calendarMoment, hosts: [])
        }
        return WhyView(
            waitsFor: "No further host is touched for now: \(reading.why)",
            since: calendar.since ?? since, next: then, nextAt: reading.changesAt, hosts: [])
    }
}
