import FleetWire
import RolloutPlan

/// What operators command. A command that is refused now moves nothing, even if it is handed in.
extension RolloutMachine {
    mutating func obey(_ command: OperatorCommand, by: String, reason why: String?) {
        let actor = "operator:\(by)"
        let words = why.map { ": \($0)" } ?? ""
        if let refusal = refusal(of: command, by: by, reason: why) {
            note(
                "`\(command.name)`\(words) was refused: \(refusal)", level: .warning, actor: actor)
            return
        }
        if case .checklist(let change) = command { return check(change, by: by, reason: why) }
        note("\(by) ordered `\(command.name)`\(words)", actor: actor)
        switch command {
        case .approve:
            if state == .awaitingApproval { return begin() }
            if let awaited = awaitedApproval { approve(awaited, by: by, reason: why) }
        case .reject:
            if state == .awaitingApproval { return abort("rejected by \(by)\(words)") }
            if let awaited = awaitedApproval { reject(awaited, by: by, reason: why ?? "") }
        case .pause: become(.paused, "paused by \(by)\(words)")
        case .resume: resume(by: by, words)
        case .promote: promote(by: by, reason: why)
        case .abort: abort("aborted by \(by)\(words)")
        case .retry(let names): for host in retried(names) { retry(host) }
        case .skip(let name): if let host = index[name.rawValue] { skip(host, words) }
        case .rollback(let selection):
            let why = "ordered by \(by)\(words)"
            endsUnchanged(selection)
                ? abort("taking all back was \(why); nothing had been changed")
                : takeBack(selection, why)
        case .checklist: break
        }
    }

    private mutating func resume(by: String, _ words: String) {
        if massLoss != nil { unfreeze("\(by) resumed\(words)") }
        guard state == .paused else { return }
        become(.running, "resumed by \(by)\(words)")
        askCrossingAgain()
        if case .wave(let number) = progress, waves[number].state == .failed { reopen(number) }
        for host in hosts.indices {
            if hosts[host].state == .pending { prepare(host) }
            if hosts[host].state == .soaking, progress == .finalizing, hosts[host].connected,
                hosts[host].open == nil
            {
                commit(host)
            }
        }
        retime()
    }

    /// A wave goes through its soak and gates again.
    private mutating func reopen(_ number: Int) {
        for gate in waves[number].approvals.keys.sorted() {
            voidAll(number, gate, "the wave was opened again")
        }
        waves[number].state = .migrating
        waves[number].needsPerson = false
        waves[number].soakUntil = nil
        waves[number].gate = 0
        waves[number].asking = nil
        waves[number].askedFirst = nil
        waves[number].askAgainAt = nil
    }

    private mutating func promote(by: String, reason why: String?) {
        guard case .wave(let number) = progress else { return }
        switch waves[number].state {
        case .migrating: passWave(number)
        case .soaking:
            waves[number].soakUntil = now
            note("\(by) ended the soak of wave \(waveName(number)) early", wave: number)
        case .gating:
            if let awaited = awaitedApproval { approve(awaited, by: by, reason: why) }
        case .waiting, .passed, .failed: break
        }
    }

    /// Ends for good. Hosts in the middle go back, confirmed hosts stay as they are.
    mutating func abort(_ why: String) {
        become(.aborted, why)
        for host in hosts.indices {
            if hosts[host].touched {
                // Past the point of no return a host goes on to its end.
                let goesBack =
                    !hosts[host].kept && hosts[host].open?.verb != .rollback
                    && hosts[host].pastReturn == nil
                if goesBack, hosts[host].state != .rollbackFailed {
                    orderRollback(host, scope: .full, point: nil, why: why)
                }
            } else if hosts[host].attempt > 0, hosts[host].open == nil || isPreparing(host) {
                if isPreparing(host) || hosts[host].state == .ready { move(host, to: .pending) }
                release(host, why: why)
            }
        }
    }

    private func isPreparing(_ host: Int) -> Bool {
        hosts[host].state == .preparing || hosts[host].state == .validating
    }

    /// The hosts that a retry means, those that cannot be tried again left out.
    func retried(_ names: [HostID]) -> [Int] {
        let chosen = names.isEmpty ? Array(hosts.indices) : names.compactMap { index[$0.rawValue] }
        return chosen.filter { hosts[$0].canRetry }
    }

    private mutating func retry(_ host: Int) {
        note(
            "is tried again as attempt \(hosts[host].attempt + 1); what it spent stays spent",
            host: host)
        change(host) { [now] in
            $0.open = nil
            $0.deadline = nil
            $0.progress.failure = nil
            $0.progress.changed = false
            $0.lostAt = $0.connected ? nil : now
        }
        move(host, to: .pending)
        if case .wave(let current) = progress, hosts[host].wave <= current { reopen(current) }
        prepare(host)
    }

    private mutating func skip(_ host: Int, _ words: String) {
        change(host) {
            $0.skipped = true
            $0.lostAt = nil
            $0.open = nil
            $0.deadline = nil
        }
        move(host, to: .skipped)
        note("is left out\(words)", host: host)
        release(host, why: "an operator left it out\(words)")
    }

    private mutating func takeBack(_ selection: RollbackSelection, _ why: String) {
        if let running = pass {
            pass?.fast = true
            note("the rollback goes on without limits: \(running.reason)", level: .warning)
            return
        }
        let targets = targets(of: selection.hosts)
        let isWhole = selection.scope == .full && selection.point == nil
        start(
            RollbackPass(
                targets: targets, scope: selection.scope, point: selection.point,
                fast: selection.fast, isFull: isWhole && targets.count == tally.touched,
                returnTo: state == .running ? .paused : state, reason: why,
                across: selection.acrossPointOfNoReturn))
    }

    /// True if a rollback of everything finds nothing changed before the end: it is an abort.
    func endsUnchanged(_ selection: RollbackSelection) -> Bool {
        guard selection.hosts == .all, selection.scope == .full, selection.point == nil else {
            return false
        }
        return switch state {
        case .planned, .awaitingApproval, .running, .paused: tally.touched == 0
        case .succeeded, .rollingBack, .rolledBack, .rollbackFailed, .aborted: false
        }
    }

    /// The touched hosts that a selection means.
    func targets(of selection: RollbackSelection.Hosts) -> [Int] {
        switch selection {
        case .all: hosts.indices.filter { hosts[$0].touched }
        case .wave(let name):
            (plan?.waves.firstIndex { $0.name == name }).map { number in
                waves[number].hosts.filter { hosts[$0].touched }
            } ?? []
        case .named(let names):
            Set(names).compactMap { index[$0.rawValue] }.filter { hosts[$0].touched }.sorted()
        }
    }
}
