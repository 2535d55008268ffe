package import FleetWire
import RolloutPlan

/// What a rollout and a host wait for, in words.
extension RolloutMachine {
    /// What the rollout waits for.
    func why(now: Timestamp) -> WhyView {
        if let massLoss {
            return WhyView(
                waitsFor: massLoss.text, since: massLoss.since,
                next: "it goes on when they return, or on `resume`", nextAt: nil,
                hosts: massLoss.hosts.map { hosts[$0].id })
        }
        switch state {
        case .planned: return saying("nothing; it was not made yet", "it is made")
        case .awaitingApproval: return saying("an approval", "`approve` lets it begin")
        case .running: return whyRunning(now)
        case .paused:
            return saying("an operator: \(reason)", nextWhilePaused)
        case .rollingBack: return whyRollingBack
        case .succeeded, .rolledBack, .rollbackFailed, .aborted:
            let late = hosts.indices.filter { hosts[$0].open != nil }
            guard !late.isEmpty else { return saying("nothing: \(reason)", "nothing") }
            return saying(
                "\(hostCount(late.count)) that have not said that they are done: \(names(late))",
                "their orders are given again when they connect", nextAt: deadline(of: late), late)
        }
    }

    private func saying(
        _ waitsFor: String, _ next: String, since: Timestamp? = nil, nextAt: Timestamp? = nil,
        _ list: [Int] = []
    ) -> WhyView {
        WhyView(
            waitsFor: waitsFor, since: since ?? self.since, next: next, nextAt: nextAt,
            hosts: list.map { hosts[$0].id })
    }

    private func deadline(of list: [Int]) -> Timestamp? {
        list.compactMap { nextMoment(of: hosts[$0]) }.min()
    }

    private var nextWhilePaused: String {
        if exhausted != nil { return "the budget is spent: `rollback` or `abort` it" }
        if case .wave(let number) = progress, waves[number].state == .failed,
            tally.waves[number].through == 0, tally.waves[number].unsettled == 0
        {
            return "`retry` takes its hosts in again, `rollback` or `abort` ends it; `resume` alone "
                + "fails the wave again"
        }
        return "`resume` lets it go on"
    }

    private func whyRunning(_ now: Timestamp) -> WhyView {
        switch progress {
        case .preparing:
            let list = hosts.indices.filter {
                switch hosts[$0].state {
                case .pending, .preparing, .validating: true
                default: false
                }
            }
            return saying(
                "preparation and validation of \(hostCount(list.count)): \(names(list))",
                "the first wave begins", nextAt: deadline(of: list), list)
        case .wave(let number): return whyWave(number)
        case .finalizing:
            let list = hosts.indices.filter { hosts[$0].state == .soaking }
            return saying(
                "finalization of \(hostCount(list.count)): \(names(list))", "the rollout succeeds",
                nextAt: deadline(of: list), list)
        }
    }

    private func whyWave(_ number: Int) -> WhyView {
        let wave = waves[number]
        let name = waveName(number)
        switch wave.state {
        case .waiting, .passed:
            return saying("nothing", "the next wave begins", since: wave.since)
        case .failed: return saying("an operator: \(reason)", "`rollback` or `abort` it")
        case .migrating:
            if wave.needsPerson {
                return saying(reason, "`promote` lets it pass", since: wave.since)
            }
            return whyMigrating(number)
        case .soaking:
            let away = wave.hosts.filter { hosts[$0].isThrough && !hosts[$0].connected }
            return saying(
                away.isEmpty
                    ? "the soak of wave \(name)"
                    : "hosts of wave \(name) to be connected again: \(names(away))",
                "its gates are asked", since: wave.since,
                nextAt: away.isEmpty ? wave.soakUntil : deadline(of: away), away)
        case .gating:
            let gates = plan?.waves[number].gates ?? []
            guard gates.indices.contains(wave.gate) else {
                return saying("nothing", "the wave passes", since: wave.since)
            }
            let gate = gates[wave.gate]
            if gate.manual {
                return saying(
                    "a person to open gate \(gate.name) of wave \(name)",
                    "`promote` opens it", since: wave.since)
            }
            return saying(
                "gate \(gate.name) of wave \(name): \(wave.details[wave.gate])",
                wave.asking == nil ? "it is asked again" : "its checks answer",
                since: wave.since, nextAt: gateMoment(number), wave.asking ?? [])
        }
    }

    private func whyMigrating(_ number: Int) -> WhyView {
        let list = waves[0...number].flatMap(\.hosts).filter { hosts[$0].isUnsettled }
        let moving = list.filter { hosts[$0].state != .ready }
        var text = "\(hostCount(list.count)) of wave \(waveName(number)): \(names(list))"
        var next = "the wave's soak begins"
        if moving.isEmpty, !list.isEmpty {
            next = "bring those hosts back, or `skip` what waits, `rollback` or `abort`"
            let down = hosts.indices.filter { hosts[$0].isUnavailable }
            text +=
                "; none may start, as \(tally.unavailable) of at most \(limits.unavailableMax) "
                + "hosts are unavailable (\(names(down)))"
        }
        return saying(
            text, next, since: waves[number].since,
            nextAt: deadline(of: list), list)
    }

    private var whyRollingBack: WhyView {
        let list = hosts.indices.filter { hosts[$0].undo }
        let told = list.filter { hosts[$0].open?.verb == .rollback }
        var text = "\(hostCount(list.count)) to be back: \(names(list))"
        var next = "the rollout is rolled back"
        if told.isEmpty, !list.isEmpty {
            let down = hosts.indices.filter { hosts[$0].isUnavailable }
            text +=
                "; none may start, as \(tally.unavailable) of at most \(limits.unavailableMax) "
                + "hosts are unavailable (\(names(down)))"
            next = "bring those hosts back, or `belay rollback --fast`, which ignores the limit"
        }
        return saying(text, next, nextAt: deadline(of: told), list)
    }

    // MARK: - One host

    /// What one host waits for; nil if it is not in the rollout.
    package func why(host id: HostID, now: Timestamp) -> WhyView? {
        guard let host = index[id.rawValue] else { return nil }
        let record = hosts[host]
        func view(_ waitsFor: String, _ next: String, nextAt: Timestamp? = nil) -> WhyView {
            WhyView(
                waitsFor: waitsFor, since: record.since, next: next,
                nextAt: nextAt ?? nextMoment(of: record), hosts: [id])
        }
        if let open = record.open {
            let how = record.connected ? "" : "; it is not connected, and is told when it is"
            return view(
                "the host to \(open.verb.rawValue): \(open.why)\(how)",
                "it reports, or its time is over")
        }
        switch record.state {
        case .pending:
            return view(
                record.connected
                    ? "the rollout, which is \(state.rawValue)" : "the host to connect",
                "it is prepared")
        case .ready: return view(whyReady(host), "it is migrated")
        case .soaking:
            return view("the rollout: \(why(now: now).waitsFor)", "it is committed at the end")
        case .failed, .unreachable, .timedOut, .rolledBack, .rollbackFailed:
            return view(
                "nothing: \(record.progress.failure ?? record.state.rawValue)",
                record.canRetry ? "`retry` takes it in again" : "an operator looks at it")
        case .committed, .skipped, .late: return view("nothing", "nothing")
        case .preparing, .validating, .migrating, .verifying, .rollingBack:
            return view("the host's report", "it goes on")
        }
    }

    private func whyReady(_ host: Int) -> String {
        let record = hosts[host]
        if !record.connected { return "the host to connect" }
        guard state == .running else { return "the rollout, which is \(state.rawValue)" }
        switch progress {
        case .wave(let number) where record.wave <= number:
            if tally.parallel >= limits.parallelMax {
                return "a place: \(tally.parallel) of \(limits.parallelMax) hosts migrate"
            }
            if tally.unavailable >= limits.unavailableMax {
                return
                    "a place: \(tally.unavailable) of at most \(limits.unavailableMax) hosts are "
                    + "unavailable"
            }
            return "a place in domain \(domainName(record.domain)): "
                + "\(tally.unavailableByDomain[record.domain]) of at most "
                + "\(limits.unavailablePerDomainMax ?? limits.unavailableMax) are unavailable"
        case .preparing: return "preparation of all hosts"
        case .wave, .finalizing: return "its wave, \(waveName(record.wave))"
        }
    }
}
