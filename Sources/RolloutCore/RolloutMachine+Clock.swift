import FleetWire
import RolloutPlan

/// Deadlines. The machine keeps one lower bound of them all; only a tick looks at every host.
extension RolloutMachine {
    /// When something becomes due at this host by time alone.
    func nextMoment(of host: HostRecord) -> Timestamp? {
        guard massLoss == nil else { return nil }
        var next = host.deadline
        if let again = host.refusal?.againAt { next = next.map { min($0, again) } ?? again }
        if let lost = host.lostAt, isTiming(host) {
            let due = lost + limits.unreachableAfter
            next = next.map { min($0, due) } ?? due
        }
        return next
    }

    /// True if the host's absence is being timed.
    func isTiming(_ host: HostRecord) -> Bool {
        switch state {
        case .running, .paused: !host.connected && host.isTimedWhileLost
        case .planned, .awaitingApproval, .succeeded, .rollingBack, .rolledBack, .rollbackFailed,
            .aborted:
            false
        }
    }

    mutating func wake(by moment: Timestamp) {
        guard wakeAt.map({ moment < $0 }) ?? true else { return }
        wakeAt = moment
        wakeIsNew = true
    }

    /// Emits the next wake if the caller does not know it.
    mutating func tellWake() {
        defer { wakeIsNew = false }
        guard wakeIsNew, let moment = wakeAt else { return }
        let later = max(moment, now + RolloutLimit.wakeAfterMin)
        wakeAt = later
        effects.append(.wake(at: later))
    }

    mutating func tick(_ at: Timestamp) {
        if let due = wakeAt, due > now {
            // Came too early: the caller has forgotten the moment by now.
            wakeIsNew = true
            return
        }
        expire()
        retime()
    }

    /// Finds the next moment anew.
    mutating func retime() {
        wakeAt = nil
        wakeIsNew = true
        for host in hosts.indices {
            if let moment = nextMoment(of: hosts[host]) { wake(by: moment) }
        }
        if state == .running, massLoss == nil, case .wave(let number) = progress {
            retimeWave(number)
        }
        if state == .running, let moment = crossingMoment { wake(by: moment) }
    }

    private mutating func retimeWave(_ number: Int) {
        let wave = waves[number]
        switch wave.state {
        case .soaking: if let until = wave.soakUntil, until > now { wake(by: until) }
        case .gating: if let moment = gateMoment(number) { wake(by: moment) }
        case .waiting, .migrating, .passed, .failed: break
        }
    }

    private mutating func expire() {
        guard massLoss == nil else { return }
        if expireLost() { return }
        askAgain()
        for host in hosts.indices {
            guard let deadline = hosts[host].deadline, deadline <= now else { continue }
            expire(host)
        }
    }

    /// Counts hosts that stayed away too long; true if it was a mass loss instead.
    private mutating func expireLost() -> Bool {
        func isDue(_ host: HostRecord) -> Bool {
            guard let lost = host.lostAt, isTiming(host) else { return false }
            return lost + limits.unreachableAfter <= now
        }
        let due = hosts.indices.filter { isDue(hosts[$0]) && hosts[$0].attempt > 0 }
        // After a restart of the coordinator nobody leaves, they only fail to come back.
        if isMass(due.count, of: tally.connected + due.count) {
            freeze(due)
            return true
        }
        for host in hosts.indices where isDue(hosts[host]) { loseUnreachable(host) }
        return false
    }

    private mutating func expire(_ host: Int) {
        let record = hosts[host]
        change(host) { $0.deadline = nil }
        switch record.open?.verb {
        case .prepare, .validate:
            change(host) { $0.open = nil }
            lose(host, as: .timedOut, "did not get ready within \(limits.stageDeadline.text)")
            release(host, why: "it took too long to get ready")
        case .migrate, .confirm:
            let text = "did not get through migration within \(limits.migrationDeadline.text)"
            lose(host, as: .timedOut, text)
            if hosts[host].open?.verb != .rollback { undoAlone(host, why: text) }
        case .commit:
            change(host) { $0.open = nil }
            lose(host, as: .timedOut, "did not commit within \(limits.stageDeadline.text)")
        case .rollback: giveUpRollback(host)
        case .release:
            change(host) { $0.open = nil }
            note(
                "did not say that it let go; nothing was changed there", level: .warning, host: host
            )
        case nil: break
        }
    }
}
