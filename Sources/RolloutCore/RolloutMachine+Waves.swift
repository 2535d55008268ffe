import FleetWire
import RolloutPlan

/// Forward: preparation, wave after wave, finalization.
extension RolloutMachine {
    /// Goes as far as it can without another event.
    mutating func goForward() {
        while state == .running, massLoss == nil, goOneStep() {}
    }

    /// True if something moved, so that the next part may move too.
    private mutating func goOneStep() -> Bool {
        switch progress {
        case .preparing:
            guard tally.unprepared == 0, isChecked(), mayCross() else { return false }
            return beginWave(0)
        case .wave(let number): return goForward(in: number)
        case .finalizing: return finish()
        }
    }

    private mutating func beginWave(_ number: Int) -> Bool {
        guard number < waves.count else {
            beginFinalization()
            return true
        }
        progress = .wave(number)
        waves[number].since = now
        waves[number].state = .migrating
        progressClock = ProgressClock()
        meetLateHosts(of: number)
        let text = "wave \(waveName(number)) begins with \(hostCount(waves[number].hosts.count))"
        reason = text
        note(text, wave: number)
        return true
    }

    private mutating func goForward(in number: Int) -> Bool {
        switch waves[number].state {
        case .waiting: return beginWave(number)
        case .migrating:
            rehearse(in: number)
            startHosts(upTo: number)
            guard state == .running, !isRehearsing, isSettled(upTo: number),
                !waves[number].needsPerson
            else {
                return false
            }
            return beginSoak(number)
        case .soaking:
            guard isStillGreen(number) else { return false }
            guard let until = waves[number].soakUntil, until <= now,
                tally.waves[number].throughAway == 0
            else { return false }
            waves[number].state = .gating
            waves[number].since = now
            waves[number].gate = 0
            if plan?.waves[number].soak ?? .zero > .zero {
                note("the soak of wave \(waveName(number)) is over", wave: number)
            }
            return true
        case .gating:
            guard isStillGreen(number) else { return false }
            return goThroughGate(number)
        case .passed: return beginWave(number + 1)
        case .failed: return false
        }
    }

    func isSettled(upTo number: Int) -> Bool {
        tally.waves[number].unsettled == 0
            && tally.waves[..<number].allSatisfy { $0.unsettled == 0 }
    }

    /// Starts ready hosts of this wave, and of earlier ones that were tried again.
    private mutating func startHosts(upTo number: Int) {
        guard state == .running, exhausted == nil, isOpen, !isRehearsing else { return }
        while tally.parallel < parallelMax(in: number), tally.unavailable < limits.unavailableMax,
            let host = next(.forward, upTo: number)
        {
            migrate(host)
            if rehearses, rehearsal == nil { return beginRehearsal(host) }
        }
    }

    /// All hosts of the wave are through or out. Where nobody is through there is nothing that
    /// could vouch for the next wave: lost hosts fail it, left-out hosts leave it to a person.
    private mutating func beginSoak(_ number: Int) -> Bool {
        let count = tally.waves[number]
        if count.through == 0 {
            if count.skipped + count.late == waves[number].hosts.count {
                waves[number].needsPerson = true
                reason = "no host of wave \(waveName(number)) goes, so nothing vouches for the next"
                note(reason + "; \(command("promote")) lets it pass", level: .warning, wave: number)
            } else {
                failWave(
                    number,
                    "no host of wave \(waveName(number)) got through, so there is nothing that "
                        + "could pass")
            }
            return false
        }
        let soak = plan?.waves[number].soak ?? .zero
        let all = waves[number].hosts.count
        waves[number].state = .soaking
        waves[number].since = now
        waves[number].soakUntil = now + soak
        if soak > .zero { wake(by: now + soak) }
        reason =
            "\(count.through) of \(hostCount(all)) of wave \(waveName(number)) confirmed"
            + (soak > .zero ? "; it soaks for \(soak.text)" : "")
        note(reason, wave: number)
        return true
    }

    /// False if hosts came in or fell out since the soak began, after acting on it.
    private mutating func isStillGreen(_ number: Int) -> Bool {
        if !isSettled(upTo: number) {
            // Hosts that are being taken back are waited for; hosts tried again go through the wave.
            waves[number].state = .migrating
            waves[number].soakUntil = nil
            waves[number].asking = nil
            waves[number].askedFirst = nil
            waves[number].askAgainAt = nil
            note(
                "wave \(waveName(number)) waits for hosts again; its soak begins anew", wave: number
            )
            startHosts(upTo: number)
            return false
        }
        guard tally.waves[number].through > 0 else {
            failWave(number, "no host of wave \(waveName(number)) is left that could pass")
            return false
        }
        return true
    }

    mutating func failWave(_ number: Int, _ why: String) {
        waves[number].state = .failed
        waves[number].since = now
        waves[number].asking = nil
        note("wave \(waveName(number)) failed", level: .error, wave: number)
        react(to: why)
    }

    mutating func passWave(_ number: Int) {
        waves[number].state = .passed
        waves[number].since = now
        note("wave \(waveName(number)) passed", wave: number)
    }

    private mutating func beginFinalization() {
        progress = .finalizing
        reason = "all waves passed; finalization runs on all hosts"
        note(reason)
        for host in hosts.indices where hosts[host].state == .soaking { commit(host) }
    }

    private mutating func finish() -> Bool {
        guard tally.soaking == 0, tally.waves.allSatisfy({ $0.unsettled == 0 }) else {
            return false
        }
        guard tally.committed > 0 else {
            if tally.touched == 0, spent.isEmpty {
                abort("every host was left out, so nothing was rolled out")
                return false
            }
            react(to: "no host is committed, so nothing was rolled out")
            if state == .running { become(.paused, "no host is committed") }
            return false
        }
        for host in hosts.indices
        where !hosts[host].touched && hosts[host].open == nil && hosts[host].state == .failed {
            release(host, why: "the rollout is over")
        }
        let out = hosts.count - tally.committed
        become(
            .succeeded,
            "\(tally.committed) of \(hostCount(hosts.count)) committed"
                + (out > tally.late
                    ? "; \(out - tally.late) failed within the budget or were left out" : "")
                + (tally.late > 0 ? "; \(hostCount(tally.late)) did not come in time" : ""))
        return false
    }
}
