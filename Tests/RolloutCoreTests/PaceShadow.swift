import FleetWire
import RolloutCore
import RolloutPlan

/// The seeded runs' own books of growth and rehearsal.
struct PaceShadow {
    private var before: RolloutView?
    private var wave = -1
    /// Hosts confirmed in a row since the wave began or a host was lost.
    private var inRow = 0
    /// Hosts that the present event let begin.
    var begun: [HostID] = []

    mutating func begin(_ view: RolloutView?) {
        before = view
        begun = []
    }

    /// Complaints about the hosts that began.
    mutating func end(_ view: RolloutView?, _ plan: ResolvedPlan) -> [String] {
        guard let view else { return [] }
        count(view)
        guard !begun.isEmpty else { return [] }
        var complaints: [String] = []
        let moving = view.hosts.count { $0.state == .migrating || $0.state == .verifying }
        if view.state != .succeeded, wave >= 0, let growth = plan.waves[wave].growth {
            var bound = growth.from
            var left = inRow
            while left >= bound {
                left -= bound
                bound *= growth.factor
            }
            if moving > bound {
                complaints.append("\(moving) go at once after \(inRow) in a row got through")
            }
        }
        guard plan.pace.rehearses else { return complaints }
        guard let rehearsal = view.rehearsal else { return complaints + ["no rehearsal"] }
        if rehearsal.phase != "passed", begun != [rehearsal.host] {
            complaints.append("\(begun) began in the rehearsal on \(rehearsal.host)")
        }
        return complaints
    }

    private mutating func count(_ view: RolloutView) {
        let now = view.waves.lastIndex { $0.state != .waiting } ?? -1
        let lost = view.budgets.first?.spent.count ?? 0
        if now != wave || lost > before?.budgets.first?.spent.count ?? 0 { inRow = 0 }
        wave = now
        for (place, host) in view.hosts.enumerated() where host.state == .soaking {
            if before?.hosts[place].state == .verifying { inRow += 1 }
        }
    }
}

extension Scenario {
    /// Calendar, growth, deadlines, absence, rehearsal and queue at random.
    mutating func drawPace(_ names: [String], _ random: inout SeededRandom) {
        func seconds(_ range: ClosedRange<Int64>) -> Milliseconds {
            .seconds(Int64.random(in: range, using: &random))
        }
        if random.chance(25) { pace.calendar = Self.calendar }
        if random.chance(25) { pace.progressDeadline = seconds(60...600) }
        if random.chance(25) { pace.healthyDeadline = seconds(30...300) }
        pace.rehearses = random.chance(25)
        isQueued = random.chance(15)
        absence = AbsencePolicy(
            late: AbsencePolicy.Late.allCases.randomElement(using: &random) ?? .wait,
            converges: random.chance(50),
            massLossPercent: Int.random(in: 20...60, using: &random),
            massLossHostsMin: Int.random(in: 2...4, using: &random))
        if absence.late != .fail || random.chance(20) {
            offline = Set(names.filter { _ in random.chance(15) })
        }
        for place in waves.indices where random.chance(30) {
            waves[place].growth = WaveGrowth(
                from: Int.random(in: 1...2, using: &random),
                factor: Int.random(in: 2...3, using: &random))
        }
    }
}
