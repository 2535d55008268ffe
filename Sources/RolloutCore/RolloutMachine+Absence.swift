package import FleetWire
import RolloutPlan

/// Hosts that were not there at the beginning, and hosts that are not what they were.
extension RolloutMachine {
    // MARK: - Late

    /// True while late hosts may still go alone.
    var awaitsLate: Bool {
        guard state == .succeeded, plan?.absence.converges == true else { return false }
        return tally.late > 0 || tally.alone > 0
    }

    /// Hosts that go alone as soon as they return; whoever gives them other work first has to
    /// leave them out here (`skip`).
    package var lateHosts: [HostID] {
        awaitsLate ? hosts.filter { $0.state == .late }.map(\.id) : []
    }

    /// A host is not there though the rollout begins.
    mutating func beLate(_ host: Int) {
        change(host) { [now] in $0.lostAt = now }
        switch plan?.absence.late ?? .wait {
        case .wait: break
        case .skip:
            change(host) { $0.lostAt = nil }
            move(host, to: .late)
            note("is not connected; the rollout goes on without it", level: .warning, host: host)
        case .fail:
            let why = "was not connected when the rollout began"
            change(host) { $0.lostAt = nil }
            note(why, level: .error, host: host)
            lose(host, as: .failed, why)
        }
    }

    /// A late host is there.
    mutating func meetLate(_ host: Int) {
        switch state {
        case .running, .paused:
            guard !hasBegun(hosts[host].wave) else { return }
            joinIn(host)
        case .succeeded:
            guard plan?.absence.converges == true else { return }
            change(host) { $0.alone = true }
            joinIn(host)
        case .planned, .awaitingApproval, .rollingBack, .rolledBack, .rollbackFailed, .aborted:
            break
        }
    }

    private func hasBegun(_ wave: Int) -> Bool {
        switch progress {
        case .preparing: false
        case .wave(let number): wave <= number
        case .finalizing: true
        }
    }

    private mutating func joinIn(_ host: Int) {
        note(
            hosts[host].alone
                ? "is late and goes alone: the rollout succeeded without it"
                : "was late and joins in before its wave", host: host)
        move(host, to: .pending)
        prepare(host)
    }

    /// Late hosts that returned while nothing could be begun join in with their wave at the latest.
    mutating func meetLateHosts(of number: Int) {
        guard tally.waves[number].late > 0 else { return }
        for host in waves[number].hosts where hosts[host].state == .late && hosts[host].connected {
            joinIn(host)
        }
    }

    /// Late hosts that are there already go once the rollout succeeded.
    mutating func meetLateHosts() {
        guard awaitsLate else { return }
        for host in hosts.indices where hosts[host].state == .late && hosts[host].connected {
            meetLate(host)
        }
    }

    /// Hosts that go alone after the end, as far as the limits and the calendar let them.
    mutating func goAlone() {
        guard awaitsLate else { return }
        while isOpen, tally.parallel < limits.parallelMax,
            tally.unavailable < limits.unavailableMax, let host = next(.forward)
        {
            migrate(host)
        }
    }

    // MARK: - Replaced

    /// The host was enrolled anew: what the rollout did there before is unknown, and its orders are
    /// not known there.
    mutating func replace(_ id: HostID) {
        guard let host = index[id.rawValue] else { return }
        forgetLoss(host)
        let wasTouched = hosts[host].touched
        note(
            "was enrolled anew: it is another host under the same name"
                + (wasTouched ? "; what the rollout changed there is gone" : ""),
            level: .warning, host: host)
        close(host)
        change(host) {
            $0.connected = false
            $0.lostAt = nil
            $0.touched = false
            $0.everTouched = false
            $0.kept = false
            $0.undo = false
            $0.progress.changed = false
            $0.progress.point = nil
            $0.pastReturn = nil
            $0.partsBack = []
        }
        if wasTouched {
            let why = "was replaced in the middle; what it held is unknown"
            switch state {
            case .running, .paused, .rollingBack: lose(host, as: .failed, why)
            case .planned, .awaitingApproval, .succeeded, .rolledBack, .rollbackFailed, .aborted:
                move(host, to: .failed, failure: why)
            }
        } else {
            beginAnew(host)
        }
    }

    /// A host that nothing was done on is as one that was not there at the beginning.
    private mutating func beginAnew(_ host: Int) {
        switch hosts[host].state {
        case .pending, .preparing, .validating, .ready, .late:
            if hosts[host].alone {
                change(host) { $0.alone = false }
                return move(host, to: .late)
            }
            switch state {
            case .running, .paused:
                move(host, to: .pending)
                beLate(host)
            case .rollingBack:
                // A late host is none of those that may still go.
                guard hosts[host].state != .late else { break }
                move(host, to: .pending)
                change(host) { [now] in $0.lostAt = now }
            case .planned, .awaitingApproval, .succeeded, .rolledBack, .rollbackFailed, .aborted:
                break
            }
        case .migrating, .verifying, .soaking, .committed, .failed, .unreachable, .timedOut,
            .rollingBack, .rolledBack, .rollbackFailed, .skipped:
            break
        }
    }

    // MARK: - Queue

    /// Waits until others let go of its hosts.
    mutating func queue() {
        let others = (definition?.waitsFor ?? []).map(\.rawValue)
        reason =
            others.isEmpty
            ? "it is queued until its hosts are free"
            : "it is queued behind \(others.joined(separator: ", ")), which \(others.count == 1 ? "holds" : "hold") hosts of it"
        note(reason)
    }

    /// Its hosts are free.
    mutating func admit(_ connected: [HostID]) {
        guard state == .planned else {
            note("ignored that it was admitted: the rollout \(state.sentence)")
            return
        }
        let there = Set(connected)
        for host in hosts.indices {
            change(host) { [now] in
                $0.connected = there.contains($0.id)
                $0.lostAt = $0.connected ? nil : now
            }
        }
        note("its hosts are free")
        open()
    }

    // MARK: - Why

    /// Which rollouts a queued one waits for.
    var queueWhy: WhyView {
        WhyView(
            waitsFor: "No host was touched yet: \(reason)", since: since,
            next: "it begins as soon as they let go; \(command("abort")) ends it", nextAt: nil,
            hosts: [])
    }

    /// What a rollout that succeeded still waits for.
    var lateWhy: WhyView? {
        guard awaitsLate else { return nil }
        let list = hosts.indices.filter {
            hosts[$0].state == .late
                || (hosts[$0].alone && (hosts[$0].isUnsettled || hosts[$0].open != nil))
        }
        return WhyView(
            waitsFor: "It has succeeded: \(reason); \(listed(list)) still to follow alone",
            since: endedAt ?? since,
            next: calendarWhy.map { "they go once they may: \($0.waitsFor)" }
                ?? "each goes when it connects; \(command("skip")) leaves one out",
            nextAt: calendarWhy?.nextAt, hosts: list.map { hosts[$0].id })
    }

    /// What a late host waits for.
    func absenceWhy(_ host: Int) -> WhyView {
        let record = hosts[host]
        let next: String
        if state == .running || state == .paused, !hasBegun(record.wave) {
            next = "it joins in if it connects before wave \(waveName(record.wave)) begins"
        } else if plan?.absence.converges == true, !isOver {
            next = "it goes alone once the rollout succeeded and it is connected"
        } else {
            next = "nothing by itself; make a new rollout for it"
        }
        return WhyView(
            waitsFor: "\(record.id) was not there when the rollout began", since: record.since,
            next: next, nextAt: nil, hosts: [record.id])
    }

    /// True if the rollout ended otherwise than well.
    var isOver: Bool {
        switch state {
        case .rolledBack, .rollbackFailed, .aborted: true
        case .planned, .awaitingApproval, .running, .paused, .succeeded, .rollingBack: false
        }
    }
}
