import FleetWire
import RolloutPlan

/// Sessions that begin and end, the coordinator's restart, and mass loss.
extension RolloutMachine {
    mutating func join(_ id: HostID, _ transaction: OpenTransaction?) {
        guard let host = index[id.rawValue] else { return }
        arrive(host)
        if hosts[host].state == .unreachable { comeBack(host) }
        switch hosts[host].state {
        case .pending where state == .running: prepare(host)
        case .soaking where state == .running && progress == .finalizing: commit(host)
        case .rollingBack where hosts[host].deadline == nil:
            change(host) { [now, limits] in $0.deadline = now + limits.migrationDeadline }
            give(host)
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .soaking,
            .committed, .failed, .unreachable, .timedOut, .rollingBack, .rolledBack,
            .rollbackFailed, .skipped, .late:
            give(host)
        }
    }

    /// Notes that a host is there; a report shows it too.
    mutating func arrive(_ host: Int) {
        losses.removeAll { $0.host == host }
        guard !hosts[host].connected else { return }
        change(host) {
            $0.connected = true
            $0.lostAt = nil
        }
        note(
            proves(host) ? "is reached on a new connection" : "is connected", host: host)
        thaw()
    }

    /// A host that counted as unreachable is there again. It stays counted.
    private mutating func comeBack(_ host: Int) {
        let record = hosts[host]
        if record.kept {
            move(host, to: .soaking)
            note("is back after it was unreachable; it keeps its change", host: host)
        } else if record.pastReturn != nil {
            move(host, to: .failed)
            note("is back; it \(pastReturnText([host])) and keeps its change", host: host)
        } else if record.touched {
            move(host, to: .rollingBack)
        } else {
            move(host, to: .failed, failure: "was unreachable; `retry` takes it in again")
        }
    }

    mutating func leave(_ id: HostID) {
        guard let host = index[id.rawValue], hosts[host].connected else { return }
        change(host) { [now] in
            $0.connected = false
            $0.lostAt = now
        }
        note(
            proves(host)
                ? "reconnects after its last step, to prove that it can be reached"
                : "is not connected any more", host: host)
        noticeMassLoss(host)
    }

    /// True after a host's last step, when its agent leaves on purpose and returns at once.
    private func proves(_ host: Int) -> Bool {
        hosts[host].state == .verifying && hosts[host].open?.verb == .migrate
    }

    /// The coordinator's own trouble is never a host's failure: all spans begin anew.
    mutating func recover(_ generation: Generation) {
        note("the coordinator started again, generation \(generation.rawValue)", level: .warning)
        massLoss = nil
        losses = []
        for host in hosts.indices {
            change(host) { [now, limits] in
                $0.connected = false
                $0.lostAt = now
                guard $0.deadline != nil else { return }
                switch $0.open?.verb {
                case .migrate, .confirm, .rollback: $0.deadline = now + limits.migrationDeadline
                case .prepare, .validate, .commit: $0.deadline = now + limits.stageDeadline
                case .release: $0.deadline = now + limits.unreachableAfter
                case nil: $0.deadline = nil
                }
            }
            give(host)
        }
        if case .wave(let wave) = progress, waves[wave].asking != nil {
            waves[wave].asking = nil
            waves[wave].askAgainAt = now
        }
        retime()
    }

    // MARK: - Mass loss

    func isMass(_ lost: Int, of connected: Int) -> Bool {
        lost >= RolloutLimit.massLossHostsMin
            && lost * 100 > connected * RolloutLimit.massLossPercent
    }

    private mutating func noticeMassLoss(_ host: Int) {
        switch state {
        case .running, .paused, .rollingBack: break
        case .planned, .awaitingApproval, .succeeded, .rolledBack, .rollbackFailed, .aborted: return
        }
        if massLoss != nil {
            massLoss?.hosts.append(host)
            return
        }
        losses.append(Loss(host: host, at: now))
        losses.removeAll { [now] in now.since($0.at) > RolloutLimit.massLossWithin }
        if isMass(losses.count, of: tally.connected + losses.count) {
            freeze(losses.map(\.host))
        }
    }

    mutating func freeze(_ lost: [Int]) {
        let text =
            "\(lost.count) of \(tally.connected + lost.count) connected hosts vanished at once "
            + "(\(names(lost))): that is the network or the coordinator, so nothing is counted and "
            + "nothing starts until they return or an operator resumes"
        massLoss = MassLoss(since: now, hosts: lost, text: text)
        losses = []
        note(text, level: .warning)
    }

    /// Ends the freeze once so many returned that the rest is no mass.
    private mutating func thaw() {
        guard let frozen = massLoss else { return }
        let missing = frozen.hosts.filter { !hosts[$0].connected }
        massLoss?.hosts = missing
        if !isMass(missing.count, of: tally.connected + missing.count) {
            unfreeze("enough hosts returned")
        }
    }

    mutating func unfreeze(_ why: String) {
        guard let frozen = massLoss else { return }
        massLoss = nil
        let pause = now.since(frozen.since)
        for host in hosts.indices {
            change(host) { [now] in
                if !$0.connected { $0.lostAt = now }
                $0.deadline = $0.deadline.map { $0 + pause }
            }
        }
        note("the mass loss is over: \(why)")
        if state == .running {
            for host in hosts.indices where hosts[host].state == .pending { prepare(host) }
        }
        retime()
    }
}
