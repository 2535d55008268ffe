import FleetWire
import RolloutPlan

/// When hosts may be touched in a simulated world: open and closed in turns, by seed.
///
/// It stands for windows and freezes. What those mean by day and zone is RolloutCalendar's; here
/// only the moments count at which they change.
struct SimulatedCalendar: Sendable {
    /// One open and one closed span together.
    let period: Int64
    /// How much of each is open.
    private let open: Int64
    private let phase: Int64

    init(seed: UInt64) {
        var random = SimulationRandom(seed: seed ^ 0xCA1E_0DA7)
        period = Int64(random.number(60_000...300_000))
        open = period * Int64(random.number(30...90)) / 100
        phase = Int64(random.number(0...Int(period)))
    }

    /// What the calendar says at a moment, and until when.
    func reading(at moment: Timestamp) -> CalendarReading {
        let into = (moment.since(Timestamp(milliseconds: SimulatedRun.wall)).count + phase)
        let place = ((into % period) + period) % period
        let isOpen = place < open
        return CalendarReading(
            isOpen: isOpen, changesAt: moment + Milliseconds((isOpen ? open : period) - place),
            why: isOpen ? "the simulated window is open" : "the simulated window is closed")
    }
}
