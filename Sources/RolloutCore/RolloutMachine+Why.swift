import FleetWire
import RolloutPlan

/// What a rollout waits for: one sentence each for now and for next, complete enough for whoever
/// is woken by it. A moment belongs to the end of the second.
extension RolloutMachine {
    /// What the rollout waits for.
    var whyNow: WhyView {
        if let massLoss {
            return WhyView(
                waitsFor: "Frozen: \(massLoss.text)", since: massLoss.since,
                next: "it goes on by itself when enough of them return, or without them on "
                    + command("resume"),
                nextAt: nil, hosts: hosts.filter(\.vanished).map(\.id))
        }
        switch state {
        case .planned: return queueWhy
        case .awaitingApproval:
            return saying(
                "No host was touched yet: \(reason)",
                "\(command("approve")) lets it begin, \(command("reject")) ends it")
        case .running: return whyRunning
        case .paused:
            return saying(
                "Paused, nothing new starts: \(reason)",
                !heldPastReturn.isEmpty
                    ? "\(acrossCommand) takes the rest back as far as it can, \(command("abort")) "
                        + "leaves it as it is"
                    : exhausted == nil
                        ? wayOutOfPause
                        : "\(rollbackCommand) takes the changed hosts back, \(command("abort")) leaves "
                            + "them as they are")
        case .rollingBack: return whyRollingBack
        case .succeeded: return lateWhy ?? whyEnded
        case .rolledBack, .rollbackFailed, .aborted: return whyEnded
        }
    }

    func command(_ verb: String) -> String { "`belay rollout \(verb) \(id?.rawValue ?? "")`" }

    var rollbackCommand: String { "`belay rollback \(id?.rawValue ?? "")`" }

    /// Hosts that a rollback left as they are; it paused the rollout.
    var heldPastReturn: [Int] {
        guard exhausted != nil || isWaveFailed else { return [] }
        return hosts.indices.filter { hosts[$0].pastReturn != nil && hosts[$0].touched }
    }

    private var isWaveFailed: Bool {
        if case .wave(let number) = progress { waves[number].state == .failed } else { false }
    }

    /// Resuming a wave that nobody got through would only fail it again.
    private var wayOutOfPause: String {
        if case .wave(let number) = progress, waves[number].state == .failed,
            tally.waves[number].through == 0, tally.waves[number].unsettled == 0
        {
            let again = retried([]).isEmpty ? "" : "\(command("retry")) takes its hosts in again, "
            return again + "\(command("abort")) ends it"
        }
        return "\(command("resume")) lets it go on, \(command("abort")) ends it"
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
        list.compactMap { nextMoment(of: $0) }.min()
    }

    /// `1 host (a1)`, `3 hosts (a1, a2, b1)`.
    func listed(_ list: [Int]) -> String { "\(hostCount(list.count)) (\(names(list)))" }

    /// What happens once `list` is done, and what time alone does; the moment goes with it.
    private func orGivenUp(_ then: String, _ list: [Int]) -> (String, Timestamp?) {
        guard let moment = deadline(of: list) else { return (then, nil) }
        return ("\(then); a host that does not report is given up", moment)
    }

    // MARK: - Ended

    private var whyEnded: WhyView {
        let late = hosts.indices.filter { hosts[$0].open != nil }
        if !late.isEmpty {
            return saying(
                "The rollout has \(state.past), but \(listed(late)) "
                    + (late.count == 1 ? "has" : "have") + " not said yet that it let go",
                "its order is given again as soon as it connects", nextAt: deadline(of: late), late)
        }
        let next =
            switch state {
            case .rolledBack:
                "nothing by itself; mend the plan and `belay apply` it again"
            case .rollbackFailed:
                "nothing by itself; look at the hosts that failed, then \(rollbackCommand) tries "
                    + "them again"
            case .planned, .awaitingApproval, .running, .paused, .rollingBack, .succeeded,
                .aborted:
                tally.touched == 0
                    ? "nothing by itself" : "nothing by itself; \(rollbackCommand) takes it back"
            }
        return saying("It has \(state.past): \(reason)", next, since: endedAt)
    }

    // MARK: - Running

    private var whyRunning: WhyView {
        if let awaited = awaitedApproval { return whyAwaiting(awaited) }
        switch progress {
        case .preparing:
            if let held = checklistWhy {
                return saying(held.waitsFor, held.next, since: held.since)
            }
            let list = hosts.indices.filter {
                switch hosts[$0].state {
                case .pending, .preparing, .validating: true
                default: false
                }
            }
            let (next, at) = orGivenUp(
                "wave \(waves.isEmpty ? "" : waveName(0)) begins as soon as all are ready"
                    + andChecklist, list)
            return saying(
                "\(listed(list)) of \(hosts.count) not ready yet: all are prepared and validated "
                    + "before anything changes", next, nextAt: at, list)
        case .wave(let number): return whyWave(number)
        case .finalizing:
            let list = hosts.indices.filter { hosts[$0].state == .soaking }
            let (next, at) = orGivenUp("the rollout succeeds as soon as they have", list)
            return saying(
                "All waves passed; \(listed(list)) still to commit", next, nextAt: at, list)
        }
    }

    private func whyWave(_ number: Int) -> WhyView {
        let wave = waves[number]
        let name = waveName(number)
        switch wave.state {
        case .waiting, .passed:
            return saying(
                "Wave \(name) begins with the next event", "its hosts migrate", since: wave.since)
        case .failed:
            return saying(
                "Wave \(name) failed: \(reason)",
                "\(rollbackCommand) takes the changed hosts back, \(command("abort")) leaves them "
                    + "as they are")
        case .migrating:
            guard wave.needsPerson else { return rehearsalWhy ?? whyMigrating(number) }
            return saying(
                "Wave \(name) needs a decision: \(reason)",
                "\(command("promote")) lets it pass, \(command("abort")) ends the rollout",
                since: wave.since)
        case .soaking: return whySoaking(number)
        case .gating: return whyGating(number)
        }
    }

    private func whySoaking(_ number: Int) -> WhyView {
        let wave = waves[number]
        let name = waveName(number)
        let away = wave.hosts.filter { hosts[$0].isThrough && !hosts[$0].connected }
        if !away.isEmpty {
            let (next, at) = orGivenUp("its soak ends once they are connected", away)
            return saying(
                "Wave \(name) cannot end its soak: \(listed(away)) not connected", next,
                since: wave.since, nextAt: at, away)
        }
        let through = wave.hosts.count { hosts[$0].isThrough }
        return saying(
            "Wave \(name) soaks: \(hostCount(through)) confirmed and watched",
            plan?.waves[number].gates.isEmpty == false
                ? "its gates are asked" : "the wave passes",
            since: wave.since, nextAt: wave.soakUntil)
    }

    private func whyGating(_ number: Int) -> WhyView {
        let wave = waves[number]
        let name = waveName(number)
        let gates = plan?.waves[number].gates ?? []
        guard gates.indices.contains(wave.gate) else {
            return saying(
                "Wave \(name) is through its gates", "the next wave begins", since: wave.since)
        }
        let gate = gates[wave.gate]
        return saying(
            "Gate \(gate.name) of wave \(name) has not passed yet: \(wave.details[wave.gate])",
            wave.asking == nil ? "it is asked again" : "its checks answer, or are given up",
            since: wave.since, nextAt: gateMoment(number), wave.asking ?? [])
    }

    private func whyAwaiting(_ awaited: AwaitedApproval) -> WhyView {
        let moment = approvalMoment(awaited)
        let names = standing(awaited).map(\.by).joined(separator: ", ")
        let limit = moment == nil ? "" : "; the approval of \(names) ends by itself"
        let others = names.isEmpty ? "" : " of another person"
        let what =
            switch awaited.place {
            case .wave(let number, _): "Wave \(waveName(number)) is done and \(awaited.title)"
            case .crossing:
                "All hosts are ready; the point of no return (step "
                    + irreversibleSteps.joined(separator: ", ") + ")"
            }
        return saying(
            "\(what) is closed: \(approvalText(awaited))",
            "\(command("approve"))\(others) opens it, \(command("reject")) closes it for good\(limit)",
            since: awaited.since, nextAt: moment)
    }

    private func whyMigrating(_ number: Int) -> WhyView {
        let list = waves[0...number].flatMap(\.hosts).filter { hosts[$0].isUnsettled }
        let moving = list.filter { hosts[$0].state != .ready }
        let name = waveName(number)
        guard !moving.isEmpty || list.isEmpty else {
            let closed = calendarWhy
            // Where no place is free, an open window starts nobody.
            if var closed, list.isEmpty || list.contains(where: hasRoom(for:)) {
                closed.hosts = list.map { hosts[$0].id }
                return closed
            }
            return saying(
                "Wave \(name) stands still: \(listed(list)) may not start while \(unavailability)",
                "they start as soon as one of those is back"
                    + (closed == nil ? "" : " and a window is open") + "; if none comes back, "
                    + "\(command("skip")) leaves hosts out, \(rollbackCommand) takes all back",
                since: waves[number].since,
                nextAt: deadline(of: list), list)
        }
        let waiting = list.count - moving.count
        let (next, at) = orGivenUp("the wave soaks as soon as all its hosts are confirmed", moving)
        if let pace = paceWhy, at.map({ pace.at < $0 }) ?? true {
            return saying(
                "Wave \(name) is under way on \(listed(moving))"
                    + (waiting > 0 ? "; \(hostCount(waiting)) still to start" : ""),
                pace.next, since: waves[number].since, nextAt: pace.at, list)
        }
        return saying(
            "Wave \(name) is under way on \(listed(moving))"
                + (waiting > 0 ? "; \(hostCount(waiting)) still to start" : ""),
            next, since: waves[number].since, nextAt: at, list)
    }

    /// `2 of at most 2 hosts are unavailable (a1, b1)`.
    private var unavailability: String {
        let down = hosts.indices.filter { hosts[$0].isUnavailable }
        return "\(tally.unavailable) of at most \(limits.unavailableMax) hosts are unavailable "
            + "(\(names(down)))"
    }

    // MARK: - Rolling back

    private var whyRollingBack: WhyView {
        let list = hosts.indices.filter { hosts[$0].undo }
        let told = list.filter { hosts[$0].open?.verb == .rollback }
        if told.isEmpty, !list.isEmpty {
            return saying(
                "Rolling back stands still: \(listed(list)) may not start while \(unavailability)",
                "bring those back, or `belay rollback --fast \(id?.rawValue ?? "")`, which "
                    + "ignores the limit", list)
        }
        let waiting = list.count - told.count
        let (next, at) = orGivenUp("it has been rolled back as soon as they are back", told)
        return saying(
            "Rolling back \(listed(told))"
                + (waiting > 0 ? "; \(hostCount(waiting)) still to start" : "")
                + ": \(reason)", next, nextAt: at, list)
    }
}

extension RolloutState {
    /// What it is, after "the rollout".
    var sentence: String {
        switch self {
        case .planned: "is planned"
        case .awaitingApproval: "awaits approval"
        case .running: "runs"
        case .paused: "is paused"
        case .succeeded: "succeeded"
        case .rollingBack: "rolls back"
        case .rolledBack: "was rolled back"
        case .rollbackFailed: "could not be rolled back"
        case .aborted: "was aborted"
        }
    }

    /// What it did, after "has".
    fileprivate var past: String {
        switch self {
        case .planned: "been planned"
        case .awaitingApproval, .running: "begun"
        case .paused: "been paused"
        case .succeeded: "succeeded"
        case .rollingBack: "begun to roll back"
        case .rolledBack: "been rolled back"
        case .rollbackFailed: "not been rolled back on all hosts"
        case .aborted: "been aborted"
        }
    }
}
