import AgentCore
import FleetWire
import RolloutCore
import RolloutPlan

/// The promises of DESIGN's section 10, each held against what the world itself knows.
extension SimulatedRun {
    // MARK: - 1: what was acknowledged is in the journal

    mutating func checkDurable(_ host: Int, _ sequence: UInt64) {
        guard sequence > 0 else { return }
        let isThere = coordinator.durable[hosts[host].id] ?? 0 >= sequence
        if !isThere {
            breaks("1", "\(hosts[host].id) heard that report \(sequence) is durable; it is not")
        }
    }

    // MARK: - 2: a step runs at most once per attempt

    mutating func noteRun(_ host: Int, _ step: StepSpec, _ stage: Stage, _ plan: HostPlan) {
        guard
            let transaction = hosts[host].machine.transactions.last(where: {
                $0.plan.rollout == plan.rollout
            })
        else { return }
        var turn = 1
        if case .running(_, _, let attempt, _) = transaction.phase { turn = attempt }
        let key = "\(transaction.attempt) \(stage.rawValue) \(step.name) try \(turn)"
        recorder?.note(
            now, "\(hosts[host].id) runs step \(step.name), attempt \(transaction.attempt)")
        if !hosts[host].stepsRun.insert(key).inserted {
            breaks("2", "\(hosts[host].id) runs a step again: attempt \(key)")
        }
    }

    // MARK: - 3: never more hosts down than the plan allows

    /// Looks at a host's service anew. Down is what the rollout does to it: anything between the
    /// versions, and a version that does not run there.
    mutating func weigh(_ host: Int) {
        let isDown = !isHealthy(host)
        guard isDown != hosts[host].isDown else { return }
        hosts[host].isDown = isDown
        ledger.move(host, isDown: isDown)
        timeline?.note(host, isDown: isDown, at: now)
        recorder?.note(
            now, "\(hosts[host].id) is \(isDown ? "down" : "up"); \(ledger.down) hosts are down")
        guard isDown, !ledger.isUnlimited else { return }
        if ledger.down > ledger.allowed.unavailable {
            let names = hosts.filter(\.isDown).map(\.id.rawValue).joined(separator: ", ")
            breaks(
                "3",
                "\(ledger.down) hosts are down (\(names)), "
                    + "at most \(ledger.allowed.unavailable) may be")
        }
        if let most = ledger.allowed.unavailablePerDomain, ledger.downIn(domainOf: host) > most {
            breaks(
                "3",
                "\(ledger.downIn(domainOf: host)) hosts of domain \(hosts[host].domain) are "
                    + "down, at most \(most) may be")
        }
    }

    // MARK: - 4 and 8: what the coordinator's machine makes of an event

    /// What is looked at before an event is applied.
    struct Before {
        var host: RolloutView.HostView?
        var gate: Verdict?
        var isCompared = false
        var awaited: AwaitedGate?
        var state = RolloutState.planned
    }

    /// A gate that persons open.
    struct AwaitedGate {
        var wave: String
        var gate: String
        var personsMin: Int
    }

    func beforeApplying(_ event: RolloutEvent) -> Before {
        var before = Before(state: coordinator.machine.state)
        switch event {
        case .reported(let id, let report, _) where report.kind == .failed:
            before.host = view?.hosts.first { $0.id == id }
        case .gateChecked(let wave, let gate, _, _, _), .gateProbed(let wave, let gate, _, _, _):
            before.gate = verdict(wave, gate)
        case .compared(let id, _, _):
            let rehearsal = view?.rehearsal
            before.isCompared = rehearsal?.phase == "comparing" && rehearsal?.host == id
        case .command(.approve, _, _, _):
            for wave in view?.waves ?? [] where wave.state == .gating {
                guard let gate = wave.gates.first(where: { $0.verdict != .pass }),
                    let persons = gate.persons
                else { continue }
                before.awaited = AwaitedGate(
                    wave: wave.name, gate: gate.name, personsMin: persons)
            }
        default: break
        }
        return before
    }

    private func verdict(_ wave: String, _ gate: String) -> Verdict? {
        view?.waves.first { $0.name == wave }?.gates.first { $0.name == gate }?.verdict
    }

    mutating func afterApplying(
        _ event: RolloutEvent, _ before: Before, _ effects: [RolloutEffect]
    ) {
        ledger.moment = max(ledger.moment, event.moment)
        follow(event, before)
        if case .created = event, ledger.madeAt == nil { ledger.madeAt = now }
        timeline?.note(coordinator.machine.hostStates, coordinator.machine.state, at: now)
        switch event {
        case .reported(_, let report, _):
            if let host = before.host, before.state != .succeeded { countFailure(report, host) }
        case .gateChecked(let wave, let gate, _, let results, _):
            if before.gate != .pass { checkGate(wave, gate, results) }
        case .gateProbed(let wave, let gate, _, let finding, _):
            if before.gate != .pass, verdict(wave, gate) == .pass, finding.verdict != .pass {
                breaks("8", "gate \(gate) of wave \(wave) passed, but nothing said so")
            }
        case .compared(_, let comparison, _) where before.isCompared:
            ledger.differs = comparison.differences != 0
        case .command(let command, let by, _, _):
            if let awaited = before.awaited { checkApproval(awaited, by) }
            ledger.differs = false
            if case .rollback(let selection) = command {
                if selection.fast { ledger.isUnlimited = true }
                noteAsked(selection)
            }
        default: break
        }
        checkLosses(effects)
        checkQueue(effects)
        for host in ledger.remember(effects, place) { checkStart(host) }
        if coordinator.machine.isFinished {
            if ledger.endedAt == nil { ledger.endedAt = now }
        } else {
            ledger.endedAt = nil
        }
    }

    /// A host is ordered to migrate for the first time in its attempt.
    private mutating func checkStart(_ host: Int) {
        let id = hosts[host].id
        if let spent = ledger.spent {
            breaks("4", "\(id) is ordered to migrate, but the budget is spent: \(spent)")
        }
        if plan.pace.calendar != nil, !calendar.reading(at: ledger.moment).isOpen {
            breaks("calendar", "\(id) is ordered to migrate while the calendar is closed")
        }
        if ledger.differs {
            breaks(
                "rehearsal",
                "\(id) is ordered to migrate, but the rehearsal left another state than before")
        }
        if !ledger.losses.mass.isEmpty {
            breaks("mass loss", "\(id) is ordered to migrate while a mass of hosts is away")
        }
    }

    // MARK: - Persons and other rollouts

    /// As many as the gate asks for must have approved something; of what, the journal does not say.
    private mutating func checkApproval(_ awaited: AwaitedGate, _ by: String) {
        var persons: Set = [by]
        for case .command(.approve, let person, _, _) in coordinator.journal {
            persons.insert(person)
        }
        guard persons.count < awaited.personsMin, verdict(awaited.wave, awaited.gate) == .pass
        else { return }
        breaks(
            "approval",
            "gate \(awaited.gate) of wave \(awaited.wave) passed, but "
                + "\(persons.count) of \(awaited.personsMin) different persons approved")
    }

    private mutating func checkQueue(_ effects: [RolloutEffect]) {
        guard now < coordinator.hostsFreeAt else { return }
        for case .order(let id, _) in effects {
            breaks("queue", "\(id) is given an order, but another rollout still has it")
        }
    }

    // MARK: - A mass of hosts that vanish is not counted

    private mutating func follow(_ event: RolloutEvent, _ before: Before) {
        switch event {
        case .created(let definition, _, _, _):
            ledger.losses.begin(with: Set(definition.connected.compactMap { place[$0] }))
        case .admitted(let connected, _):
            ledger.losses.begin(with: Set(connected.compactMap { place[$0] }))
        case .connected(let id, _, _): if let host = place[id] { ledger.losses.join(host) }
        case .reported(let id, let report, _):
            guard let host = place[id], report.attempt == ledger.attempts[host] else { return }
            ledger.losses.join(host)
        case .disconnected(let id, _):
            guard let host = place[id] else { return }
            let isWatched =
                switch before.state {
                case .running, .paused, .rollingBack: true
                case .planned, .awaitingApproval, .succeeded, .rolledBack, .rollbackFailed,
                    .aborted:
                    false
                }
            ledger.losses.leave(host, at: ledger.moment.milliseconds, isWatched: isWatched)
        case .replaced(let id, _):
            if let host = place[id] { ledger.losses.replace(host) }
        case .command(.resume, _, _, _), .command(.rollback, _, _, _): ledger.losses.forget()
        case .recovered: ledger.losses.restart()
        case .command, .refused, .gateChecked, .gateProbed, .calendarRead, .compared, .ticked: break
        }
    }

    private mutating func checkLosses(_ effects: [RolloutEffect]) {
        guard !ledger.losses.mass.isEmpty else { return }
        for case .note(let entry) in effects where entry.text.hasPrefix("was unreachable for") {
            guard let host = entry.host.flatMap({ place[$0] }), ledger.losses.mass.contains(host)
            else { continue }
            breaks(
                "mass loss",
                "\(hosts[host].id) is counted, but it is one of "
                    + "\(ledger.losses.mass.count) hosts that vanished at once")
        }
    }

    private mutating func countFailure(_ report: TransactionReport, _ host: RolloutView.HostView) {
        guard report.attempt == host.attempt, let number = place[host.id],
            !ledger.undone.contains(number)
        else { return }
        switch host.state {
        case .preparing, .validating, .migrating, .verifying: ledger.lose(number)
        default: break
        }
    }

    private mutating func checkGate(
        _ wave: String, _ gate: String, _ results: [String: [CheckResult]]
    ) {
        guard verdict(wave, gate) == .pass,
            let asked = plan.waves.first(where: { $0.name == wave })?.gates.first(where: {
                $0.name == gate
            })
        else { return }
        for host in view?.hosts ?? [] where host.wave == wave {
            guard host.state == .soaking || host.state == .committed else { continue }
            let found = results[host.id.rawValue] ?? []
            guard Verdict(asked: asked.checks, found: found) != .pass else { continue }
            breaks("8", "gate \(gate) of wave \(wave) passed, but \(host.id) gave no pass")
        }
    }

    /// A host says that it is verified: its newest checks must have passed.
    mutating func witness(_ report: TransactionReport, _ host: Int) {
        guard report.kind == .verified else { return }
        let checks = plan.work.stages.first { $0.stage == .verification }?.checks ?? []
        guard checks.contains(where: { $0.level == .critical }) else { return }
        if !hosts[host].lastChecksPassed {
            breaks("8", "\(hosts[host].id) says that it is verified, but no check passed")
        }
    }

    // MARK: - 5: who was not confirmed ends old

    mutating func check(_ host: Int, _ audit: Audit) {
        guard let armed = hosts[host].armed, !hosts[host].isOld else { return }
        let isKept = isClosed(host) || hosts[host].outcome?.ending == .kept
        guard !isKept, hosts[host].restoreFailures == 0, hosts[host].outcome == nil else { return }
        switch audit {
        case .death(let life):
            guard hosts[host].life == life, !hosts[host].isAgentUp, hosts[host].isWatching else {
                return
            }
            breaks(
                "5",
                "\(hosts[host].id): the agent is dead, nobody confirmed, and the change is "
                    + "still there")
        case .deadline(let deadline, let attempt):
            guard armed.order.deadline == deadline, armed.order.attempt == attempt,
                hosts[host].isAgentUp, hosts[host].isWatching
            else { return }
            breaks(
                "5",
                "\(hosts[host].id): the deadline passed, nobody confirmed, and the change is "
                    + "still there")
        }
    }

    // MARK: - 6: an older term never moves a host

    mutating func checkTerm(_ host: Int, _ term: Generation, _ before: HostMachine) {
        let highest = before.generation
        guard term < highest else { return }
        if hosts[host].machine.transactions != before.transactions {
            breaks(
                "6",
                "\(hosts[host].id) obeyed an order of term \(term.rawValue) and has seen "
                    + "\(highest.rawValue)")
        }
    }

    // MARK: - The journal replays to the same state

    mutating func checkReplay() {
        var machine = RolloutMachine()
        for event in coordinator.journal { _ = machine.handle(altered(event)) }
        if machine != coordinator.machine {
            breaks("replay", "the journal replays to another state")
        }
    }
}

extension RolloutEvent {
    /// When it happened, by the coordinator's clock.
    fileprivate var moment: Timestamp {
        switch self {
        case .created(_, _, _, let at), .command(_, _, _, let at), .reported(_, _, let at),
            .refused(_, _, _, _, let at), .gateChecked(_, _, _, _, let at),
            .gateProbed(_, _, _, _, let at), .calendarRead(_, let at), .admitted(_, let at),
            .replaced(_, let at), .compared(_, _, let at), .connected(_, _, let at),
            .disconnected(_, let at), .recovered(_, let at), .ticked(let at):
            at
        }
    }
}
