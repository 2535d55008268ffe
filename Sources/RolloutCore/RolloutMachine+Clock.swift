import FleetWire
import RolloutPlan

/// Deadlines. Each host has at most one alarm that counts, no later than its next moment; the
/// machine tells one lower bound of them all.
extension RolloutMachine {
    /// When something becomes due at a host by time alone.
    func nextMoment(of host: Int) -> Timestamp? { hosts[host].nextMoment(timing) }

    /// True if a host's absence is being timed.
    func isTiming(_ host: HostRecord) -> Bool {
        timing.isAbsenceTimed && !host.connected && host.isTimedWhileLost
    }

    /// What of the rollout decides when a host becomes due.
    var timing: HostTiming {
        let isAbsenceTimed =
            switch state {
            case .running, .paused: true
            case .planned, .awaitingApproval, .succeeded, .rollingBack, .rolledBack,
                .rollbackFailed, .aborted:
                false
            }
        return HostTiming(
            isFrozen: massLoss != nil, isAbsenceTimed: isAbsenceTimed,
            unreachableAfter: limits.unreachableAfter)
    }

    /// Sees to it that a host is looked at when it has to be.
    mutating func setAlarm(_ host: Int) {
        guard let moment = nextMoment(of: host) else { return }
        wake(by: moment)
        if let alarm = hosts[host].alarm, alarm <= moment { return }
        hosts[host].alarm = moment
        alarms.insert(Alarm(at: moment, host: host))
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
        askCalendarIfDue()
        findWake()
        wakeIsNew = true
    }

    /// Finds the next moment anew after what is timed changed for all hosts.
    mutating func retime() {
        for host in hosts.indices { setAlarm(host) }
        findWake()
    }

    private mutating func findWake() {
        let told = wakeAt
        let isOwed = wakeIsNew
        wakeAt = nil
        if let moment = firstAlarm() { wake(by: moment) }
        if state == .running, massLoss == nil, case .wave(let number) = progress {
            retimeWave(number)
        }
        for moment in [calendarMoment, progressMoment, rehearsalMoment, crossingMoment] {
            if let moment { wake(by: moment) }
        }
        wakeIsNew = isOwed || wakeAt != told
    }

    /// The earliest next moment of a host; alarms that came to nothing are put off or dropped.
    private mutating func firstAlarm() -> Timestamp? {
        while let alarm = alarms.first {
            let isValid = hosts[alarm.host].alarm == alarm.at
            let moment = isValid ? nextMoment(of: alarm.host) : nil
            if moment == alarm.at { return moment }
            alarms.removeFirst()
            guard isValid else { continue }
            hosts[alarm.host].alarm = nil
            setAlarm(alarm.host)
        }
        return nil
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
        let due = takeDue()
        if !expireLost(due) {
            askAgain(due)
            for host in due {
                guard let deadline = hosts[host].deadline, deadline <= now else { continue }
                expire(host)
            }
        }
        for host in due { setAlarm(host) }
    }

    /// Hosts that time alone makes due, in their order.
    private mutating func takeDue() -> [Int] {
        var due: [Int] = []
        while let alarm = alarms.first, alarm.at <= now {
            alarms.removeFirst()
            guard hosts[alarm.host].alarm == alarm.at else { continue }
            hosts[alarm.host].alarm = nil
            guard let moment = nextMoment(of: alarm.host) else { continue }
            if moment <= now { due.append(alarm.host) } else { setAlarm(alarm.host) }
        }
        return due.sorted()
    }

    /// Counts hosts that stayed away too long; true if it was a mass loss instead.
    private mutating func expireLost(_ hostsDue: [Int]) -> Bool {
        func isDue(_ host: HostRecord) -> Bool {
            guard let lost = host.lostAt, isTiming(host) else { return false }
            return lost + limits.unreachableAfter <= now
        }
        let due = hostsDue.filter { isDue(hosts[$0]) && hosts[$0].attempt > 0 }
        // After a restart of the coordinator nobody leaves, they only fail to come back.
        if isMass(due.count, of: tally.connected + due.count) {
            freeze(due)
            return true
        }
        for host in hostsDue where isDue(hosts[host]) { loseUnreachable(host) }
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
            let text =
                record.isHealthTimed
                ? "was not confirmed within \(healthySpan.text) of its last step"
                : "did not get through migration within \(limits.migrationDeadline.text)"
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

/// When a host is looked at next.
struct Alarm: Codable, Comparable, Hashable, Sendable {
    var at: Timestamp
    var host: Int
    static func < (one: Alarm, other: Alarm) -> Bool {
        (one.at, one.host) < (other.at, other.host)
    }
}

/// What decides, beside its record, when a host becomes due by time alone.
struct HostTiming {
    /// A mass loss lets all deadlines stand still.
    var isFrozen: Bool
    /// Hosts that are away are being timed.
    var isAbsenceTimed: Bool
    var unreachableAfter: Milliseconds
}

extension HostRecord {
    /// Its next moment. A method of the record, so that nothing of it is copied to ask.
    func nextMoment(_ timing: HostTiming) -> Timestamp? {
        guard !timing.isFrozen else { return nil }
        var next = deadline
        if let again = refusal?.againAt { next = next.map { min($0, again) } ?? again }
        if let lost = lostAt, timing.isAbsenceTimed, !connected, isTimedWhileLost {
            let due = lost + timing.unreachableAfter
            next = next.map { min($0, due) } ?? due
        }
        return next
    }
}
