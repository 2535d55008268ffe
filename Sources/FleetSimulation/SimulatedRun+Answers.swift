import FleetWire
import RolloutCore
import RolloutPlan

/// What the coordinator's shell finds out for the machine: gates, the calendar, comparisons.
extension SimulatedRun {
    /// Asks a gate; the answer comes later, unless the coordinator dies before.
    mutating func ask(_ gate: ResolvedGate, wave: String, round: Int, hosts asked: [HostID]) {
        let life = coordinator.life
        switch gate.probe {
        case .checks(let checks):
            after(
                some(50...3000),
                .gateAnswers(
                    life: life, wave: wave, gate: gate.name, round: round,
                    hosts: asked.compactMap { place[$0] }, checks))
        case .metric, .webhook, .prometheus:
            after(
                some(50...3000),
                .probeAnswers(life: life, wave: wave, gate: gate.name, round: round))
        // Persons are not asked; they press buttons.
        case .approval: break
        }
    }

    mutating func answerGate(
        _ life: Int, _ wave: String, _ gate: String, _ round: Int, _ asked: [Int],
        _ checks: [CheckSpec]
    ) {
        guard coordinator.isUp, coordinator.life == life else { return }
        var results: [String: [CheckResult]] = [:]
        for host in asked {
            let isThere =
                coordinator.presence[host] != nil && hosts[host].isAgentUp
                && hosts[host].cut == nil
            let isSilent = has(.failure) && random.chance(60)
            results[hosts[host].id.rawValue] = isThere && !isSilent ? gateResults(host, checks) : []
        }
        enqueue(
            .gateChecked(
                wave: wave, gate: gate, round: round, results: results, at: coordinatorNow))
    }

    private mutating func gateResults(_ host: Int, _ checks: [CheckSpec]) -> [CheckResult] {
        let fails =
            !isHealthy(host) || (has(.failure) && random.chance(hosts[host].stepFailures / 8))
        return checks.map {
            CheckResult(
                name: $0.name, kind: $0.kind.name, level: $0.level, status: fails ? .fail : .pass,
                measured: "simulated", remedy: nil, took: Milliseconds(10))
        }
    }

    /// A metric or a server answers, is silent, or says that things are bad.
    mutating func answerProbe(_ life: Int, _ wave: String, _ gate: String, _ round: Int) {
        guard coordinator.isUp, coordinator.life == life else { return }
        var verdict: Verdict? = .pass
        if has(.failure) {
            verdict = random.pick([.pass, .pass, .pass, .inconclusive, nil, .fail]) ?? .pass
        }
        enqueue(
            .gateProbed(
                wave: wave, gate: gate, round: round,
                GateFinding(verdict: verdict, detail: "simulated"), at: coordinatorNow))
    }

    mutating func readCalendar(_ life: Int) {
        guard coordinator.isUp, coordinator.life == life else { return }
        enqueue(.calendarRead(calendar.reading(at: coordinatorNow), at: coordinatorNow))
    }

    /// Compares a host with its rollback point, as far as it can be reached.
    mutating func compare(_ life: Int, _ host: Int, _ point: PointID) {
        guard coordinator.isUp, coordinator.life == life else { return }
        var comparison = PointComparison(
            point: point, differences: nil, detail: "the host cannot be reached")
        let isThere =
            coordinator.presence[host] != nil && hosts[host].isAgentUp && hosts[host].cut == nil
        if isThere, let captured = hosts[host].points[point] {
            let isTouched = has(.failure) && random.chance(200)
            let differences = zip(captured, hosts[host].disk).count { $0 != $1 }
            comparison.differences = differences + (isTouched ? 1 : 0)
            comparison.detail = "simulated"
        }
        enqueue(.compared(hosts[host].id, comparison, at: coordinatorNow))
    }
}
