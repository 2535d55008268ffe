import FleetWire
import RolloutPlan

/// Sessions that begin and end, and the coordinator's restart.
extension RolloutMachine {
    mutating func join(_ id: HostID, _ transaction: OpenTransaction?) {
        guard let host = index[id.rawValue] else { return }
        arrive(host)
        if hosts[host].state == .unreachable { comeBack(host) }
        switch hosts[host].state {
        case .pending where state == .running: prepare(host)
        case .late: meetLate(host)
        case .soaking where state == .running && progress == .finalizing: commit(host)
        case .rollingBack where hosts[host].deadline == nil:
            change(host) { [now, limits] in $0.deadline = now + limits.migrationDeadline }
            give(host)
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .soaking,
            .committed, .failed, .unreachable, .timedOut, .rollingBack, .rolledBack,
            .rollbackFailed, .skipped:
            give(host)
        }
        compareAgain(host)
    }

    /// Notes that a host is there; a report shows it too.
    mutating func arrive(_ host: Int) {
        forgetLoss(host)
        guard !hosts[host].connected else { return }
        change(host) {
            $0.connected = true
            $0.lostAt = nil
        }
        note(
            proves(host) ? "is reached on a new connection" : "is connected", host: host)
        thaw(host)
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
        endMassLoss()
        forgetLosses()
        for host in hosts.indices {
            change(host) { [now, limits, healthySpan] in
                $0.connected = false
                $0.lostAt = now
                guard $0.deadline != nil else { return }
                switch $0.open?.verb {
                case .migrate, .confirm, .rollback:
                    $0.deadline = now + ($0.isHealthTimed ? healthySpan : limits.migrationDeadline)
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
        progressClock = ProgressClock()
        askCalendar()
        compareAgain()
        retime()
        wakeIsNew = true
    }
}
