import AgentCore
import FleetWire
import RolloutCore
import RolloutPlan

/// The coordinator's process, as CoordinatorServer's `Coordinator` is: one loop, batches, durable
/// before visible.
extension SimulatedRun {
    var coordinatorNow: Timestamp {
        Timestamp(milliseconds: Self.wall + now + coordinator.offset)
    }

    /// An operator applies the plan, until it was taken.
    mutating func makeRollout() {
        guard coordinator.journal.isEmpty else { return }
        var plan = plan
        switch setup.planted {
        case .budgetPerWave:
            plan.budget = FailureBudget(
                fleet: plan.hosts.count, wave: plan.budget.fleet, domain: plan.budget.domain)
        case .domainIgnored: plan.limits.unavailablePerDomainMax = nil
        case .percentRoundedUp: plan = WorldLimits.roundedUp(plan, setup.declared)
        case .massLossCounted: plan.absence.massLossHostsMin = .max
        default: break
        }
        if coordinator.isUp {
            enqueue(
                .created(
                    RolloutDefinition(
                        plan: plan, connected: [], isQueued: now < coordinator.hostsFreeAt),
                    id: Self.rollout, by: "ada", at: coordinatorNow))
        }
        after(5000, .makesRollout)
    }

    /// Admits a queued rollout once the other one let go of the hosts.
    mutating func lookAtQueue() {
        let isFree = now >= coordinator.hostsFreeAt || setup.planted == .admittedEarly
        if coordinator.isUp, coordinator.machine.isQueued, isFree {
            enqueue(.admitted(connected: [], at: coordinatorNow))
        }
        if now < coordinator.hostsFreeAt || coordinator.journal.isEmpty
            || coordinator.machine.isQueued
        {
            after(SimulationLimits.queuePoll, .looksAtQueue)
        }
    }

    private var connectedHosts: [HostID] {
        plan.hosts.indices.filter { coordinator.presence[$0] != nil }.map { plan.hosts[$0].id }
    }

    // MARK: - The loop

    mutating func enqueue(_ event: RolloutEvent, from connection: Int? = nil) {
        guard coordinator.isUp else { return }
        coordinator.pending.append(.init(event: event, connection: connection))
        workOn()
    }

    private mutating func workOn() {
        guard coordinator.isUp, !coordinator.isWriting, !coordinator.pending.isEmpty else { return }
        coordinator.isWriting = true
        after(1, .coordinatorWrites(life: coordinator.life))
    }

    mutating func writeBatch(_ life: Int) {
        guard coordinator.isUp, coordinator.life == life else { return }
        let accepted = judge(nextBatch())
        guard !accepted.isEmpty else {
            coordinator.isWriting = false
            return workOn()
        }
        coordinator.writing = accepted
        let slow = has(.slow) && random.chance(20) ? some(100...2000) : 0
        after(some(1...15) + slow, .coordinatorWritten(life: life))
    }

    /// An input that can be refused begins a batch.
    private mutating func nextBatch() -> [SimulatedCoordinator.Input] {
        var count = 1
        while count < coordinator.pending.count, !canBeRefused(coordinator.pending[count].event) {
            count += 1
        }
        defer { coordinator.pending.removeFirst(min(count, coordinator.pending.count)) }
        return Array(coordinator.pending.prefix(count))
    }

    private func canBeRefused(_ event: RolloutEvent) -> Bool {
        switch event {
        case .created, .command: true
        case .reported, .refused, .gateChecked, .gateProbed, .calendarRead, .admitted, .replaced,
            .compared, .connected, .disconnected, .recovered, .ticked:
            false
        }
    }

    private mutating func judge(
        _ batch: [SimulatedCoordinator.Input]
    ) -> [SimulatedCoordinator.Input] {
        var accepted: [SimulatedCoordinator.Input] = []
        var seen: [Int: UInt64] = [:]
        for var input in batch {
            switch input.event {
            case .created(var definition, let id, let by, let at):
                guard coordinator.machine.definition == nil else { continue }
                definition.connected = connectedHosts
                input.event = .created(definition, id: id, by: by, at: at)
            case .command: if refuses(input.event) { continue }
            case .admitted(_, let at):
                guard coordinator.machine.isQueued else { continue }
                input.event = .admitted(connected: connectedHosts, at: at)
            case .reported(let id, let report, _):
                guard let host = place[id] else { continue }
                guard report.sequence == (seen[host] ?? coordinator.reported[host]) + 1 else {
                    finishReading(input)
                    continue
                }
                seen[host] = report.sequence
            case .refused, .gateChecked, .gateProbed, .calendarRead, .replaced, .compared,
                .connected, .disconnected, .recovered, .ticked:
                guard coordinator.machine.definition != nil else { continue }
            }
            accepted.append(input)
        }
        return accepted
    }

    mutating func takeBatch(_ life: Int) {
        guard coordinator.isUp, coordinator.life == life else { return }
        let batch = coordinator.writing
        coordinator.writing = []
        if coordinator.isFull { return keepTrying(batch) }
        let isEarly = setup.planted == .coordinatorActsBeforeDurable
        if !isEarly { makeDurable(batch) }
        for input in batch {
            if coordinatorCrashes() || !apply(input.event) { return }
        }
        for input in batch { finishReading(input) }
        if isEarly {
            if has(.crash), random.chance(20) { return crashCoordinator() }
            makeDurable(batch)
        }
        coordinator.isWriting = false
        workOn()
    }

    /// The batch is in the journal; a host that was enrolled anew is another one from then on.
    mutating func makeDurable(_ batch: [SimulatedCoordinator.Input]) {
        coordinator.append(batch.map(\.event))
        for case .replaced(let id, _) in batch.map(\.event) {
            if let host = place[id] { becomeNew(host) }
        }
    }

    /// What nobody waits for is kept and tried again.
    private mutating func keepTrying(_ batch: [SimulatedCoordinator.Input]) {
        recorder?.note(now, "the coordinator's journal cannot be written")
        for input in batch {
            if let connection = input.connection {
                connections[connection].isReading = false
                bye(connection, .seconds(2))
            }
        }
        coordinator.pending.insert(contentsOf: batch.filter { $0.connection == nil }, at: 0)
        after(SimulationLimits.journalRetry, .coordinatorWrites(life: coordinator.life))
        if coordinator.pending.isEmpty { coordinator.isWriting = false }
    }

    /// Hands a durable event to the machine and lets its effects go; false if the process died.
    private mutating func apply(_ event: RolloutEvent) -> Bool {
        count(event)
        let before = beforeApplying(event)
        let effects = coordinator.machine.handle(altered(event))
        afterApplying(event, before, effects)
        recorder?.note(now, "coordinator takes \(event.kind): \(view?.state.rawValue ?? "-")")
        for effect in effects {
            perform(effect)
            if coordinatorCrashes() { return false }
        }
        switch event {
        case .created(let definition, _, _, _): catchUp(definition.connected)
        case .admitted(let connected, _): catchUp(connected)
        default: break
        }
        return true
    }

    private mutating func count(_ event: RolloutEvent) {
        switch event {
        case .reported(let id, let report, _):
            guard let host = place[id] else { return }
            coordinator.reported[host] = max(coordinator.reported[host], report.sequence)
        case .replaced(let id, _):
            guard let host = place[id] else { return }
            coordinator.reported[host] = 0
        default: break
        }
    }

    /// The event as the machine hears it; planted faults alter some.
    func altered(_ event: RolloutEvent) -> RolloutEvent {
        switch (setup.planted, event) {
        case (.silenceIsPass, .gateChecked(let wave, let name, let round, let results, let at)):
            guard
                let gate = plan.waves.first(where: { $0.name == wave })?.gates.first(where: {
                    $0.name == name
                })
            else { return event }
            let all = gate.checks.map {
                CheckResult(
                    name: $0.name, kind: $0.kind.name, level: $0.level, status: .pass, measured: "",
                    remedy: nil, took: .zero)
            }
            return .gateChecked(
                wave: wave, gate: name, round: round,
                results: results.mapValues { $0.isEmpty ? all : $0 }, at: at)
        case (.calendarIgnored, .calendarRead(let reading, let at)):
            return .calendarRead(
                CalendarReading(isOpen: true, changesAt: nil, why: reading.why), at: at)
        case (.comparisonIgnored, .compared(let host, let comparison, let at)):
            var same = comparison
            same.differences = 0
            return .compared(host, same, at: at)
        case (.replacementIgnored, .replaced(let host, let at)):
            return .disconnected(host, at: at)
        case (.approvedTwice, .command(.approve, let by, let reason, let at)):
            return .command(.approve, by: "\(by) at \(at.milliseconds)", reason: reason, at: at)
        default: return event
        }
    }

    /// Hosts that came or went while the event was being written.
    private mutating func catchUp(_ connected: [HostID]) {
        let known = Set(connected)
        for host in plan.hosts.indices {
            let isHere = coordinator.presence[host] != nil
            guard isHere != known.contains(plan.hosts[host].id) else { continue }
            enqueue(presenceEvent(host))
        }
    }

    func presenceEvent(_ host: Int) -> RolloutEvent {
        coordinator.presence[host] != nil
            ? .connected(plan.hosts[host].id, nil, at: coordinatorNow)
            : .disconnected(plan.hosts[host].id, at: coordinatorNow)
    }

    /// True if the machine, as it hears it, refuses a command.
    func refuses(_ event: RolloutEvent) -> Bool {
        guard case .command(let command, let by, let reason, _) = altered(event) else {
            return false
        }
        return coordinator.machine.refusal(of: command, by: by, reason: reason) != nil
    }

    // MARK: - Effects

    private mutating func perform(_ effect: RolloutEffect) {
        switch effect {
        case .order(let id, let order):
            guard let host = place[id] else { return }
            give(order, host)
            if setup.planted == .rollbackIgnoresUnavailability, order.verb == .rollback {
                giveToAll(order, but: host)
            }
        case .readCalendar:
            after(some(5...200), .calendarAnswers(life: coordinator.life))
        case .compare(let id, let point):
            guard let host = place[id] else { return }
            after(some(50...3000), .comparisonEnds(life: coordinator.life, host: host, point))
        case .evaluateGate(let wave, let gate, let round, let asked):
            ask(gate, wave: wave, round: round, hosts: asked)
        case .note(let entry):
            recorder?.note(now, "  \(entry.host.map { "\($0): " } ?? "")\(entry.text)")
        case .quarantine: break
        case .wake(let at):
            coordinator.wakeAt = min(coordinator.wakeAt ?? at, at)
            planWake()
        }
    }

    private mutating func give(_ order: TransactionOrder, _ host: Int) {
        coordinator.lastOrders.append((host, order, coordinator.generation))
        if coordinator.lastOrders.count > 20 { coordinator.lastOrders.removeFirst() }
        guard let connection = coordinator.presence[host] else { return }
        down(.order(order, coordinator.generation), connection)
    }

    private mutating func giveToAll(_ order: TransactionOrder, but first: Int) {
        for host in hosts.indices where host != first && hosts[host].disk == newDisk {
            guard let known = hosts[host].machine.transactions.last else { continue }
            var copy = order
            copy.attempt = known.attempt
            give(copy, host)
        }
    }

    mutating func planWake() {
        guard let wakeAt = coordinator.wakeAt else { return }
        let moment = max(
            now + 1,
            now + wakeAt.since(coordinatorNow).count
                + some(0...SimulationLimits.coordinatorPoll))
        if let planned = coordinator.looksAt, planned <= moment, planned > now { return }
        coordinator.looksAt = moment
        queue.put(.coordinatorWakes(life: coordinator.life), at: moment)
    }

    mutating func wakeCoordinator(_ life: Int) {
        guard coordinator.isUp, coordinator.life == life, let wakeAt = coordinator.wakeAt else {
            return
        }
        if coordinator.looksAt.map({ $0 <= now }) ?? true { coordinator.looksAt = nil }
        guard wakeAt <= coordinatorNow else { return planWake() }
        coordinator.wakeAt = nil
        enqueue(.ticked(at: coordinatorNow))
    }
}
