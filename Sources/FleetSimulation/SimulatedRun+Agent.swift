import AgentCore
import FleetWire
import RolloutPlan

/// The agent's process, as AgentRuntime's `Agent` is: durable before visible, effects in order.
extension SimulatedRun {
    mutating func bootAgent(_ host: Int) {
        hosts[host].life += 1
        hosts[host].isAgentUp = true
        hosts[host].goneSince = nil
        hosts[host].agentOffset = hosts[host].clockOffset
        hosts[host].backoff = SimulationLimits.backoffFirst
        after(some(1...200), .agentStarts(host: host, life: hosts[host].life))
    }

    /// Waits for a guard that restores, then takes its outcome over.
    mutating func startAgent(_ host: Int, _ life: Int) {
        guard isAlive(host, life) else { return }
        lock(host, .start)
    }

    /// Starts a dead agent again, unless somebody was faster.
    mutating func restartAgent(_ host: Int, after life: Int) {
        guard !hosts[host].isAgentUp, hosts[host].life == life else { return }
        bootAgent(host)
    }

    mutating func recoverAgent(_ host: Int) {
        let outcome = hosts[host].outcome
        let cutOff = setup.planted == .stepRunsAgain ? cutOffStep(host) : nil
        recorder?.note(now, "\(hosts[host].id) agent starts")
        tell(host, .started(guard: outcome))
        if let cutOff, hosts[host].isAgentUp { begin(host, cutOff) }
        guard hosts[host].isAgentUp else { return }
        after(some(1...300), .dials(host: host, life: hosts[host].life))
        if hosts[host].outcome != nil { lookForOutcome(host) }
    }

    func hostNow(_ host: Int) -> Timestamp {
        Timestamp(milliseconds: Self.wall + now + hosts[host].agentOffset)
    }

    func isAlive(_ host: Int, _ life: Int) -> Bool {
        hosts[host].isAgentUp && hosts[host].life == life
    }

    // MARK: - Events

    /// Gives an event to the host's machine: durable first, then its effects, in order.
    mutating func tell(_ host: Int, _ event: HostEvent) {
        guard hosts[host].isAgentUp else { return }
        guard hosts[host].unwritten.isEmpty, !hosts[host].isFull else {
            postpone(host, event)
            return
        }
        let durable = hosts[host].machine
        var next = durable
        let effects = next.handle(event, at: hostNow(host))
        if setup.planted != .agentActsBeforeDurable, crashes(host) { return }
        hosts[host].machine = next
        if next.readsOutcome(event) { hosts[host].outcome = nil }
        for effect in effects {
            begin(host, effect)
            if crashes(host) {
                if setup.planted == .agentActsBeforeDurable { hosts[host].machine = durable }
                return
            }
        }
        planTick(host)
    }

    /// Without the journal nothing moves: orders are refused, ends of work wait.
    private mutating func postpone(_ host: Int, _ event: HostEvent) {
        switch event {
        case .order(_, _, let message):
            refuse(
                host, message,
                Refusal(code: "journal_unwritable", reason: "the journal cannot be written"))
            hosts[host].hasRefused = true
        case .tick, .guardActed, .restore, .stopRestore: return
        case .started, .term, .connected, .disconnected, .acknowledged, .finished,
            .operatorRollback:
            hosts[host].unwritten.append(event)
        }
        tryJournalLater(host)
    }

    private mutating func tryJournalLater(_ host: Int) {
        after(
            Int64(SimulationLimits.agentPoll),
            .agentTriesJournal(host: host, life: hosts[host].life))
    }

    mutating func retryJournal(_ host: Int, _ life: Int) {
        guard isAlive(host, life), !hosts[host].unwritten.isEmpty || hosts[host].hasRefused else {
            return
        }
        guard !hosts[host].isFull else { return tryJournalLater(host) }
        let waiting = hosts[host].unwritten
        hosts[host].unwritten = []
        for event in waiting { tell(host, event) }
        askAgain(host)
        // The clock's own events are not kept, so what they would have done is looked at again.
        planTick(host)
        if hosts[host].outcome != nil { lookForOutcome(host) }
    }

    /// A new session makes the coordinator give the orders again that were refused.
    private mutating func askAgain(_ host: Int) {
        guard hosts[host].isAgentUp, hosts[host].hasRefused else { return }
        hosts[host].hasRefused = false
        begin(host, .reconnect)
    }

    // MARK: - Time

    /// One tick when a deadline passes stands for the ticks of each half second.
    mutating func planTick(_ host: Int) {
        let now = hostNow(host)
        var next: Timestamp?
        for transaction in hosts[host].machine.transactions {
            switch transaction.phase {
            case .reconnecting(let deadline): next = min(next ?? deadline, deadline)
            case .awaiting(let deadline?): next = min(next ?? deadline, deadline)
            default: break
            }
        }
        guard let next else { return }
        let wait = max(0, next.since(now).count)
        after(
            wait + some(0...SimulationLimits.agentPoll),
            .agentTicks(host: host, life: hosts[host].life))
    }

    mutating func tickAgent(_ host: Int, _ life: Int) {
        guard isAlive(host, life), hosts[host].machine.isWaitingForTime else { return }
        let now = hostNow(host)
        let isDue = hosts[host].machine.transactions.contains {
            switch $0.phase {
            case .reconnecting(let deadline): deadline <= now
            case .awaiting(let deadline?): deadline <= now
            default: false
            }
        }
        guard isDue else { return }
        if hosts[host].isFull || !hosts[host].unwritten.isEmpty {
            after(
                Int64(SimulationLimits.agentPoll), .agentTicks(host: host, life: life))
            return
        }
        tell(host, .tick)
    }

    mutating func lookForOutcome(_ host: Int) {
        guard hosts[host].isAgentUp else { return }
        after(
            some(1...SimulationLimits.agentPoll),
            .agentReadsOutcome(host: host, life: hosts[host].life))
    }

    mutating func readOutcome(_ host: Int, _ life: Int) {
        guard isAlive(host, life), let outcome = hosts[host].outcome else { return }
        tell(host, .guardActed(outcome))
        if hosts[host].outcome != nil { lookForOutcome(host) }
    }

    // MARK: - Death

    /// Kills the agent now and then, where a write or an effect has just ended.
    mutating func crashes(_ host: Int) -> Bool {
        guard has(.crash), random.chance(2) else { return false }
        killAgent(host, reboot: random.chance(200))
        return true
    }

    mutating func killAgent(_ host: Int, reboot: Bool) {
        guard hosts[host].isAgentUp else { return }
        recorder?.note(now, "\(hosts[host].id) \(reboot ? "reboots" : "agent is killed")")
        let life = hosts[host].life
        hosts[host].hasRefused = false
        hosts[host].isAgentUp = false
        hosts[host].goneSince = now
        hosts[host].works = [:]
        hosts[host].unwritten = []
        if let connection = hosts[host].served { drop(connection, silently: reboot) }
        hosts[host].served = nil
        hosts[host].session = nil
        unlockDead(host, reboot: reboot)
        if reboot {
            hosts[host].boot += 1
            hosts[host].isWatching = false
            hosts[host].isGuardActing = false
        } else if hosts[host].isWatching {
            planGuard(host)
            let within = plan.work.confirmWithin.count + SimulationLimits.guardGrace
            after(within + restoreBound(host), .audit(host: host, .death(life: life)))
        }
        let pause = random.chance(600) ? some(100...4000) : some(5000...400_000)
        after(pause, .agentRestarts(host: host, life: life))
    }

    private func cutOffStep(_ host: Int) -> HostEffect? {
        for transaction in hosts[host].machine.transactions {
            guard case .running(.migrate, let item, _, _) = transaction.phase else { continue }
            let validation = transaction.plan.stage(.validation)
            // Validation, its checks, space, capture and arming come before the first step.
            let first = validation.steps.count + (validation.checks.isEmpty ? 0 : 1) + 3
            let steps = transaction.plan.stage(.migration).steps
            guard item >= first, item - first < steps.count else { continue }
            return .step(work: 0, steps[item - first], .migration, transaction.plan)
        }
        return nil
    }
}
