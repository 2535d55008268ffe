import FleetWire
import RolloutCore

/// Sessions as `Coordinator+Sessions` keeps them, and the coordinator's death.
extension SimulatedRun {
    mutating func arrive(_ frame: UpFrame, _ number: Int) {
        guard coordinator.isUp, connections[number].coordinatorLife == coordinator.life,
            connections[number].isCoordinatorOpen
        else { return }
        connections[number].unread.append(frame)
        read(number)
    }

    private mutating func read(_ number: Int) {
        while connections[number].isCoordinatorOpen, !connections[number].isReading,
            !connections[number].unread.isEmpty
        {
            switch connections[number].unread.removeFirst() {
            case .hello(let open): greet(open, number)
            case .report(let report): take(report, number)
            case .refused(let verb, let attempt, let refusal):
                guard coordinator.machine.definition != nil else { continue }
                enqueue(
                    .refused(
                        hosts[connections[number].host].id, verb, attempt: attempt, refusal,
                        at: coordinatorNow))
            }
        }
    }

    private mutating func greet(_ open: OpenTransaction?, _ number: Int) {
        let host = connections[number].host
        connections[number].isGreeted = true
        let former = coordinator.presence[host]
        coordinator.presence[host] = number
        if let former { bye(former, .seconds(1)) }
        down(
            .welcome(coordinator.generation, acknowledged: coordinator.reported[host]), number)
        guard isConcerned else { return }
        enqueue(.connected(hosts[host].id, open, at: coordinatorNow))
    }

    private var isConcerned: Bool {
        coordinator.machine.definition != nil && !coordinator.machine.isFinished
    }

    private mutating func take(_ report: TransactionReport, _ number: Int) {
        let host = connections[number].host
        let known = coordinator.reported[host]
        if report.sequence > known + 1 {
            recorder?.note(now, "coordinator misses report \(known + 1) of \(hosts[host].id)")
            return bye(number, .seconds(1))
        }
        if report.sequence == known + 1 {
            connections[number].isReading = true
            enqueue(.reported(hosts[host].id, report, at: coordinatorNow), from: number)
        } else {
            down(.acknowledge(known), number)
        }
    }

    /// The report is durable, so it is acknowledged and the next one is read.
    mutating func finishReading(_ input: SimulatedCoordinator.Input) {
        guard let number = input.connection else { return }
        connections[number].isReading = false
        down(.acknowledge(coordinator.reported[connections[number].host]), number)
        read(number)
    }

    mutating func bye(_ number: Int, _ pause: Milliseconds) {
        down(.bye(retryAfter: pause), number)
        closeByCoordinator(number)
    }

    /// A session ended; nobody is told if a newer one took its place.
    mutating func left(_ number: Int) {
        let host = connections[number].host
        guard coordinator.presence[host] == number else { return }
        coordinator.presence[host] = nil
        if isConcerned { enqueue(.disconnected(hosts[host].id, at: coordinatorNow)) }
    }

    /// An operator's command; a finished rollout first hears who is there.
    mutating func command(_ command: OperatorCommand, by person: String) {
        recorder?.note(now, "operator \(person): \(command.name)")
        if coordinator.machine.isFinished {
            for host in hosts.indices { enqueue(presenceEvent(host)) }
        }
        enqueue(.command(command, by: person, reason: "simulated", at: coordinatorNow))
    }

    // MARK: - Death and life

    mutating func coordinatorCrashes() -> Bool {
        guard has(.crash), random.chance(2) else { return false }
        crashCoordinator()
        return true
    }

    mutating func crashCoordinator() {
        guard coordinator.isUp else { return }
        recorder?.note(now, "the coordinator is killed")
        // A write that was under way may have become durable or not.
        if random.chance(500), setup.planted != .coordinatorActsBeforeDurable {
            makeDurable(coordinator.writing)
        }
        coordinator.isUp = false
        coordinator.life += 1
        coordinator.pending = []
        coordinator.writing = []
        coordinator.isWriting = false
        coordinator.wakeAt = nil
        coordinator.looksAt = nil
        let isSilent = random.chance(300)
        for host in hosts.indices {
            coordinator.presence[host] = nil
            guard let number = hosts[host].served else { continue }
            connections[number].isCoordinatorOpen = false
            let pause = isSilent ? SimulationLimits.silenceMax + some(0...5000) : some(1...50)
            after(pause, .noticesEnd(connection: number, .agent))
        }
        after(random.chance(700) ? some(500...8000) : some(8000...300_000), .coordinatorStarts)
    }

    mutating func startCoordinator() {
        guard !coordinator.isUp else { return }
        coordinator.isUp = true
        let former = coordinator.generation
        coordinator.generation = Generation(rawValue: former.rawValue + 1)
        coordinator.machine = replayed()
        recorder?.note(now, "the coordinator starts, term \(coordinator.generation.rawValue)")
        if coordinator.machine.definition == nil {
            makeRollout()
        } else if !coordinator.machine.isFinished {
            enqueue(.recovered(coordinator.generation, at: coordinatorNow))
        }
        planWake()
        for _ in 0..<2 where random.chance(500) {
            guard let stale = random.pick(coordinator.lastOrders) else { break }
            after(
                some(100...60_000),
                .staleOrder(host: stale.host, stale.order, stale.term))
        }
    }

    /// Replays the journal: the machine, the reports that were counted, and the next wake.
    private mutating func replayed() -> RolloutMachine {
        var machine = RolloutMachine()
        coordinator.reported = Array(repeating: 0, count: hosts.count)
        coordinator.wakeAt = nil
        for event in coordinator.journal {
            switch event {
            case .reported(let id, let report, _):
                guard let host = place[id] else { continue }
                coordinator.reported[host] = max(coordinator.reported[host], report.sequence)
            case .replaced(let id, _): if let host = place[id] { coordinator.reported[host] = 0 }
            // Killed between the journal and the machine, it is heard of here for the first time.
            case .command(.rollback(let selection), _, _, _) where selection.fast:
                ledger.isUnlimited = true
            default: break
            }
            let effects = machine.handle(altered(event))
            ledger.remember(effects, place)
            for case .wake(let at) in effects { coordinator.wakeAt = at }
        }
        return machine
    }
}
