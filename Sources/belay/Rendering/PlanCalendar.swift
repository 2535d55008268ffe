import FleetWire
import RolloutCalendar
import RolloutPlan

/// A plan's calendar as this machine reads it now; the coordinator reads it again when it counts.
struct PlanCalendar: Encodable {
    /// One stretch in which new hosts may be touched.
    struct Opening: Encodable {
        var from: Timestamp
        var until: Timestamp?
    }

    var reading: CalendarReading?
    var openings: [Opening] = []
    /// Why this machine cannot read it.
    var trouble: String?
    /// The plan's zone and that of whoever reads.
    private var zone: Zone?
    private let here: Zone

    private enum CodingKeys: CodingKey { case reading, openings, trouble }

    /// Openings that are shown.
    private static let openingsShown = 3

    init(_ calendar: WorkCalendar, now: Timestamp, zones: ZoneFolder, here: Zone) {
        self.here = here
        do throws(CalendarTrouble) {
            let zone = try zones.zone(named: calendar.zone)
            self.zone = zone
            reading = try CalendarReader.read(calendar, at: now, in: zone)
            openings = try CalendarReader.openings(
                calendar, from: now, count: Self.openingsShown, in: zone
            ).map { Opening(from: $0.from, until: $0.until) }
        } catch {
            trouble = error.description
        }
    }

    /// The calendar of `plan`, if it has one.
    static func read(_ plan: ResolvedPlan) -> PlanCalendar? {
        plan.pace.calendar.map {
            PlanCalendar(
                $0, now: Clock.now, zones: .ofThisMachine,
                here: ZoneFolder.ofThisMachine.local())
        }
    }

    /// What holds now and when it opens next, in the plan's zone and here.
    func rows() -> [(String, String)] {
        guard let zone, let reading else { return [("now", trouble ?? "")] }
        var rows = [("now", reading.why)]
        for opening in openings {
            var text = Self.span(opening, zone)
            let local = Self.span(opening, here)
            if local != text { text += "; here \(local) (\(here.name))" }
            rows.append((rows.count == 1 ? "opens" : "", text))
        }
        if openings.isEmpty { rows.append(("opens", "never")) }
        return rows
    }

    /// `Thu 2026-11-26 09:00 to 16:00`.
    private static func span(_ opening: Opening, _ zone: Zone) -> String {
        let from = zone.wallTime(at: opening.from)
        guard let until = opening.until.map(zone.wallTime) else { return "from \(from.spoken) on" }
        return "\(from.spoken) to "
            + (from.day == until.day ? WallTime.clock(until.minute) : until.spoken)
    }
}
