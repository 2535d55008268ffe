import AgentCore
import FleetWire

/// The guard's process and the files that it shares with the agent, as GuardWatch and GuardFiles.
extension SimulatedRun {
    // MARK: - The lock

    mutating func lock(_ host: Int, _ locker: SimulatedHost.Locker) {
        hosts[host].lockers.append(locker)
        if hosts[host].lockedBy == nil { after(1, .lockIsFree(host: host)) }
    }

    mutating func unlock(_ host: Int) {
        hosts[host].lockedBy = nil
        if !hosts[host].lockers.isEmpty { after(1, .lockIsFree(host: host)) }
    }

    /// The kernel frees the locks of the dead.
    mutating func unlockDead(_ host: Int, reboot: Bool) {
        hosts[host].lockers.removeAll { $0 != .watch || reboot }
        guard let holder = hosts[host].lockedBy, holder != .watch || reboot else { return }
        unlock(host)
    }

    mutating func passLock(_ host: Int) {
        guard hosts[host].lockedBy == nil, !hosts[host].lockers.isEmpty else { return }
        let locker = hosts[host].lockers.removeFirst()
        hosts[host].lockedBy = locker
        switch locker {
        case .start:
            unlock(host)
            recoverAgent(host)
        case .watch: act(host)
        case .work(let number): beginLocked(host, number)
        }
    }

    private mutating func beginLocked(_ host: Int, _ number: UInt64) {
        guard let work = hosts[host].works[number] else { return unlock(host) }
        var span = some(2...60)
        if case .restore(_, _, let names, let rollout, let attempt) = work.effect,
            outcome(host, rollout, attempt) == nil
        {
            span = some(100...SimulationLimits.restoreMax) * Int64(hosts[host].factor)
            checkReturn(host, by: "agent")
            hosts[host].restoreBegan = now
            for component in hosts[host].disk.indices where covers(names, component) {
                hosts[host].disk[component] = -1
            }
            weigh(host)
        }
        hosts[host].works[number]?.endsAt = now + span
        after(span, .workEnds(host: host, life: hosts[host].life, work: number))
    }

    // MARK: - What the agent does to the guard

    mutating func arm(_ host: Int, _ order: GuardOrder, _ work: SimulatedHost.Work) -> WorkResult {
        if work.willFail { return .problem("the guard did not begin to watch") }
        hosts[host].closed = nil
        hosts[host].outcome = nil
        hosts[host].armed = SimulatedHost.Armed(order: order, due: now + order.within.count)
        hosts[host].isWatching = true
        planGuard(host)
        return .done
    }

    mutating func rearm(_ host: Int, _ order: GuardOrder) {
        let due = now + order.within.count
        hosts[host].armed = SimulatedHost.Armed(order: order, due: due)
        if hosts[host].isWatching {
            planGuard(host)
        } else {
            after(some(20...100), .guardStarts(host: host, boot: hosts[host].boot))
        }
        guard !order.holding else { return }
        after(
            order.within.count + SimulationLimits.guardGrace + restoreBound(host),
            .audit(host: host, .deadline(order.deadline, attempt: order.attempt)))
    }

    mutating func disarm(
        _ host: Int, _ rollout: RolloutID, _ attempt: Int, _ work: SimulatedHost.Work
    ) -> WorkResult {
        if let outcome = outcome(host, rollout, attempt) { return .guardActed(outcome) }
        if work.willFail { return .problem("closed.json cannot be written") }
        hosts[host].closed = SimulatedHost.Closed(rollout: rollout, attempt: attempt)
        return .done
    }

    func outcome(_ host: Int, _ rollout: RolloutID, _ attempt: Int) -> GuardOutcome? {
        guard let outcome = hosts[host].outcome, outcome.rollout == rollout,
            outcome.attempt == attempt
        else { return nil }
        return outcome
    }

    func isClosed(_ host: Int) -> Bool {
        guard let order = hosts[host].armed?.order else { return true }
        return hosts[host].closed
            == SimulatedHost.Closed(rollout: order.plan.rollout, attempt: order.attempt)
    }

    // MARK: - The guard

    mutating func startGuard(_ host: Int, _ boot: Int) {
        guard hosts[host].boot == boot, !hosts[host].isWatching, !isClosed(host) else { return }
        hosts[host].isWatching = true
        planGuard(host)
    }

    /// When it acts if nothing changes; nil while it only watches.
    private func guardDue(_ host: Int) -> Int64? {
        guard let armed = hosts[host].armed else { return nil }
        guard let gone = hosts[host].goneSince else {
            return armed.order.holding ? nil : armed.due + SimulationLimits.guardGrace
        }
        let dead = gone + armed.order.plan.confirmWithin.count
        return armed.order.holding
            ? dead : min(dead, max(armed.due, gone + SimulationLimits.guardGrace))
    }

    mutating func planGuard(_ host: Int) {
        guard hosts[host].isWatching, let due = guardDue(host) else { return }
        after(
            max(0, due - now) + some(1...SimulationLimits.guardPoll),
            .guardLooks(host: host, boot: hosts[host].boot))
    }

    mutating func lookGuard(_ host: Int, _ boot: Int) {
        guard hosts[host].boot == boot, hosts[host].isWatching, !hosts[host].isGuardActing else {
            return
        }
        if isClosed(host) {
            hosts[host].isWatching = false
            return
        }
        guard let due = guardDue(host), due <= now else { return }
        guard setup.planted != .guardAsleep else { return }
        hosts[host].isGuardActing = true
        lock(host, .watch)
    }

    /// Holds the lock now; what it saw before may have changed meanwhile.
    private mutating func act(_ host: Int) {
        guard let armed = hosts[host].armed, !isClosed(host), let due = guardDue(host), due <= now
        else {
            hosts[host].isGuardActing = false
            unlock(host)
            if isClosed(host) { hosts[host].isWatching = false } else { planGuard(host) }
            return
        }
        if outcome(host, armed.order.plan.rollout, armed.order.attempt) != nil {
            return endWatch(host)
        }
        let order = armed.order
        let checks = order.plan.stage(.verification).checks
        if order.complete, order.policy == .commitIfValid, !checks.isEmpty, isHealthy(host),
            checks.contains(where: { $0.level == .critical })
        {
            recorder?.note(now, "\(hosts[host].id) guard keeps the change")
            settle(host, .kept, took: .zero)
            return endWatch(host)
        }
        recorder?.note(now, "\(hosts[host].id) guard restores")
        checkReturn(host, by: "guard")
        hosts[host].restoreBegan = now
        for component in hosts[host].disk.indices { hosts[host].disk[component] = -1 }
        weigh(host)
        after(
            some(100...SimulationLimits.restoreMax) * Int64(hosts[host].factor),
            .guardEnds(host: host, boot: hosts[host].boot))
    }

    mutating func endGuard(_ host: Int, _ boot: Int) {
        guard hosts[host].boot == boot, hosts[host].isGuardActing, let armed = hosts[host].armed
        else { return }
        let took = Milliseconds(now - hosts[host].restoreBegan)
        let fails = has(.failure) && random.chance(hosts[host].restoreFailures / 4)
        if !fails, let captured = hosts[host].points[armed.order.point] {
            hosts[host].disk = captured
            weigh(host)
            settle(host, .rolledBack, took: took)
        } else {
            settle(host, .rollbackFailed, took: took)
        }
        endWatch(host)
    }

    private mutating func settle(
        _ host: Int, _ ending: GuardOutcome.Ending, took: Milliseconds
    ) {
        guard let order = hosts[host].armed?.order else { return }
        recorder?.note(now, "\(hosts[host].id) guard: \(ending.rawValue)")
        if ending == .rolledBack { restores.append(took) }
        hosts[host].outcome = GuardOutcome(
            rollout: order.plan.rollout, attempt: order.attempt, ending: ending,
            reason: "nobody confirmed in time", took: took, at: hostNow(host), evidence: [:])
        lookForOutcome(host)
    }

    private mutating func endWatch(_ host: Int) {
        hosts[host].isGuardActing = false
        hosts[host].isWatching = false
        unlock(host)
    }

    /// What a restore, its tries and the waits for the lock can take on this host.
    func restoreBound(_ host: Int) -> Int64 {
        Int64(SimulationLimits.restoreMax * hosts[host].factor) * 8 + 120_000
    }
}
