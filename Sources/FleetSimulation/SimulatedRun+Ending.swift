import AgentCore
import FleetWire
import RolloutCore
import RolloutPlan

/// After the faults: the rollout must end, or say truthfully that it waits for a person.
extension SimulatedRun {
    /// The faults end: what is dead starts again, what is cut off can be reached, what is full has
    /// space. Clocks stay wrong, and a version that does not run still does not.
    mutating func calm() {
        recorder?.note(now, "the faults end")
        timeline?.faultsEnd = now
        isTroubled = false
        coordinator.isFull = false
        if !coordinator.isUp { after(1000, .coordinatorStarts) }
        for host in hosts.indices {
            hosts[host].cut = nil
            hosts[host].isFull = false
            hosts[host].factor = 1
            if !hosts[host].isAgentUp {
                after(some(500...5000), .agentRestarts(host: host, life: hosts[host].life))
            }
        }
    }

    /// Longer than everything that the plan lets a rollout wait for by itself.
    private var bound: Int64 {
        let limits = plan.limits
        let steps = plan.waves.reduce(Int64(0)) { sum, wave in
            sum + wave.soak.count
                + wave.gates.reduce(Int64(0)) { $0 + $1.inconclusiveFor.count + $1.every.count }
        }
        let perHost = Int64(hosts.count) * 60_000
        return steps + perHost
            + (plan.pace.calendar == nil ? 0 : calendar.period * Int64(2 * hosts.count))
            + (plan.pace.progressDeadline?.count ?? 0)
            + 3
            * (limits.stageDeadline.count + limits.migrationDeadline.count
                + limits.unreachableAfter.count) + 600_000
    }

    mutating func end() {
        for round in 0..<12 where broken.isEmpty {
            let last = now + bound
            while broken.isEmpty, !isOver, step(until: last) {}
            if isOver || !broken.isEmpty { break }
            guard waitsForPerson else {
                return breaks(
                    "liveness",
                    "it is \(view?.state.rawValue ?? "not made") for \(bound / 1000) s after the "
                        + "faults ended; it waits for: \(view?.why.waitsFor ?? "?")")
            }
            actAsPerson(round)
        }
        guard broken.isEmpty else { return }
        guard isOver else { return breaks("liveness", "no command of an operator's ends it") }
        settleHosts()
        guard broken.isEmpty else { return }
        checkReplay()
        checkEnding()
    }

    private var isOver: Bool {
        coordinator.isUp && !coordinator.isWriting && coordinator.pending.isEmpty
            && coordinator.machine.isFinished
    }

    /// It says so itself: every sentence that asks for a person names a command.
    private var waitsForPerson: Bool {
        guard let why = view?.why else { return false }
        return why.next.contains("`") && !why.waitsFor.isEmpty
    }

    private mutating func actAsPerson(_ round: Int) {
        let ways: [OperatorCommand] =
            [
                .promote, .approve, .resume, .rollback(RollbackSelection(hosts: .all)),
                .rollback(RollbackSelection(hosts: .all, fast: true)), .abort,
            ] + returns(.all) + coordinator.machine.openChecklistChanges.map { .checklist($0) }
        let person = Self.persons[round % Self.persons.count]
        recorder?.note(now, "why: \(view?.why.waitsFor ?? "-"); \(view?.why.next ?? "-")")
        // What did not help twice is not tried for ever.
        let open = ways.filter {
            !refuses(.command($0, by: person, reason: "simulated", at: coordinatorNow))
        }
        if !open.isEmpty { command(open[(round / 2) % open.count], by: person) }
    }

    /// Lets agents, guards and reports come to rest.
    private mutating func settleHosts() {
        let last = now + 2 * plan.work.confirmWithin.count + 300_000
        while broken.isEmpty, step(until: last) {}
    }

    // MARK: - Where everybody stands

    /// Every host is in exactly one version, and in the one that the coordinator tells.
    private mutating func checkEnding() {
        for told in view?.hosts ?? [] {
            guard let number = place[told.id] else { continue }
            let host = hosts[number]
            let isNew = host.disk == newDisk
            let isHeld = isHeld(number, told)
            switch told.state {
            case .committed, .soaking:
                if !isNew { breaks("ending", "\(host.id) is \(told.state.rawValue) and not new") }
            case .rolledBack, .pending, .preparing, .validating, .ready, .skipped:
                if !host.isOld { breaks("ending", "\(host.id) is \(told.state.rawValue), not old") }
            case .rollbackFailed: break
            case .failed, .timedOut, .unreachable, .late, .migrating, .verifying, .rollingBack:
                if !host.isOld, !isNew, host.crossed == nil, !isHeld {
                    breaks("ending", "\(host.id) is \(told.state.rawValue) and between versions")
                }
                if isNew, !host.isOld, !isKeptByAgent(number), !isHeld {
                    breaks("ending", "\(host.id) is new, and nobody confirmed it")
                }
            }
        }
    }

    /// True if host and coordinator both say that it is held past the point of no return. By the
    /// world's books it need not be: an agent that died between the record that such a step begins
    /// and the step cannot tell that from a step that began.
    private func isHeld(_ host: Int, _ told: RolloutView.HostView) -> Bool {
        switch hosts[host].machine.transactions.last?.phase {
        case .held, .left: told.pastReturn != nil
        default: false
        }
    }

    private func isKeptByAgent(_ host: Int) -> Bool {
        switch hosts[host].machine.transactions.last?.phase {
        case .confirmed, .committed: true
        case .held, .left: hosts[host].crossed != nil
        default: false
        }
    }
}
