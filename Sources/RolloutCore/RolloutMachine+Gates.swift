import FleetWire
import RolloutPlan

/// Gates: asked in order on the hosts that got through; an inconclusive one never passes.
extension RolloutMachine {
    /// True if the wave moved on.
    mutating func goThroughGate(_ number: Int) -> Bool {
        guard let gates = plan?.waves[number].gates else { return false }
        let wave = waves[number]
        guard wave.gate < gates.count else {
            passWave(number)
            return true
        }
        let gate = gates[wave.gate]
        if gate.manual {
            awaitPersons(number, gate)
            return false
        }
        if let first = wave.askedFirst, first + gate.inconclusiveFor <= now, wave.round > 0 {
            let found = wave.details[wave.gate]
            waves[number].verdicts[wave.gate] = .inconclusive
            failGate(
                number, gate,
                "it stayed inconclusive for \(gate.inconclusiveFor.text): \(found)")
            return false
        }
        if wave.asking == nil, wave.askAgainAt.map({ $0 <= now }) ?? true { ask(gate, number) }
        return false
    }

    /// When a gate needs the clock.
    func gateMoment(_ number: Int) -> Timestamp? {
        let wave = waves[number]
        guard let first = wave.askedFirst, let gates = plan?.waves[number].gates,
            wave.gate < gates.count
        else { return nil }
        if gates[wave.gate].manual { return awaitedApproval.flatMap(approvalMoment) }
        let end = first + gates[wave.gate].inconclusiveFor
        return wave.askAgainAt.map { min($0, end) } ?? end
    }

    private mutating func ask(_ gate: ResolvedGate, _ number: Int) {
        let asked = through(number)
        let isAgain = waves[number].askedFirst != nil
        waves[number].round += 1
        waves[number].asking = asked
        waves[number].askAgainAt = nil
        if waves[number].askedFirst == nil {
            waves[number].askedFirst = now
            waves[number].details[waves[number].gate] = "no answer came yet"
        }
        wake(by: now + gate.inconclusiveFor)
        reason = "gate \(gate.name) of wave \(waveName(number)) is being asked"
        note(
            "gate \(gate.name) of wave \(waveName(number)) is asked \(gate.probe.place) "
                + hostCount(asked.count) + (isAgain ? " again" : ""),
            wave: number)
        effects.append(
            .evaluateGate(
                wave: waveName(number), gate: gate, round: waves[number].round,
                hosts: asked.map { hosts[$0].id }))
    }

    /// Hosts of the wave that its verdict can rest on now.
    private func through(_ number: Int) -> [Int] {
        waves[number].hosts.filter { hosts[$0].isThrough }
    }

    /// Checks on hosts answered.
    mutating func judge(
        wave name: String, gate gateName: String, round: Int, results: [String: [CheckResult]]
    ) {
        guard let (number, gate) = asked(name, gateName, round), case .checks = gate.probe else {
            return ignoreAnswer(name, gateName, round)
        }
        // A host that got through since was not asked, so it leaves the gate inconclusive.
        let through = through(number)
        let found = waves[number].asking?.flatMap { results[hosts[$0].id.rawValue] ?? [] }
        settle(gate, number, combine(gate, through, results), found)
    }

    /// Something else than the hosts answered.
    mutating func judge(
        wave name: String, gate gateName: String, round: Int, finding: GateFinding
    ) {
        guard let (number, gate) = asked(name, gateName, round) else {
            return ignoreAnswer(name, gateName, round)
        }
        switch gate.probe {
        case .checks, .approval: ignoreAnswer(name, gateName, round)
        case .metric, .webhook, .prometheus:
            settle(gate, number, weigh(finding, gate, number), nil)
        }
    }

    /// The gate that an answer is for; nil if nobody waits for that answer.
    private func asked(
        _ name: String, _ gateName: String, _ round: Int
    ) -> (Int, ResolvedGate)? {
        guard case .wave(let number) = progress, state == .running || state == .paused,
            waves[number].state == .gating, waveName(number) == name,
            waves[number].round == round, waves[number].asking != nil,
            let gates = plan?.waves[number].gates, waves[number].gate < gates.count,
            gates[waves[number].gate].name == gateName
        else { return nil }
        return (number, gates[waves[number].gate])
    }

    private mutating func ignoreAnswer(_ wave: String, _ gate: String, _ round: Int) {
        note("ignored an old answer to gate \(gate) of wave \(wave), round \(round)")
    }

    private func weigh(
        _ finding: GateFinding, _ gate: ResolvedGate, _ number: Int
    ) -> (Verdict, String) {
        guard let verdict = finding.verdict else {
            return noData(gate, "there is no data: \(finding.detail)")
        }
        let through = through(number)
        if verdict == .pass, through.isEmpty || through != waves[number].asking {
            return (.inconclusive, "it was not asked about the hosts that the wave has now")
        }
        return (verdict, finding.detail)
    }

    private func noData(_ gate: ResolvedGate, _ text: String) -> (Verdict, String) {
        switch gate.onNoData {
        case .inconclusive: (.inconclusive, text)
        case .fail: (.fail, "\(text), and the plan takes that for a failure")
        }
    }

    private mutating func settle(
        _ gate: ResolvedGate, _ number: Int, _ answer: (Verdict, String), _ found: [CheckResult]?
    ) {
        let (verdict, detail) = answer
        waves[number].asking = nil
        waves[number].verdicts[waves[number].gate] = verdict
        waves[number].details[waves[number].gate] = detail
        note(
            "gate \(gate.name) of wave \(waveName(number)) \(verdict.sentence): \(detail)",
            level: verdict == .pass ? .info : .warning, wave: number
        ) { $0.checks = found }
        switch verdict {
        case .pass: nextGate(number)
        case .fail: failGate(number, gate, detail)
        case .inconclusive:
            let again = now + max(gate.every, RolloutLimit.gateEveryMin)
            waves[number].askAgainAt = again
            wake(by: again)
        }
    }

    /// Host by host: one that fails fails all; one that is silent leaves all inconclusive.
    private func combine(
        _ gate: ResolvedGate, _ asked: [Int], _ results: [String: [CheckResult]]
    ) -> (Verdict, String) {
        guard !asked.isEmpty else { return (.inconclusive, "no host was looked at") }
        var failed: [Int] = []
        var open: [Int] = []
        for host in asked {
            switch Verdict(asked: gate.checks, found: results[hosts[host].id.rawValue] ?? []) {
            case .pass: break
            case .fail: failed.append(host)
            case .inconclusive: open.append(host)
            }
        }
        if let first = failed.first {
            let checks = results[hosts[first].id.rawValue] ?? []
            let bad = checks.first { $0.status == .fail && $0.level == .critical }
            let why = bad.map { "; \($0.name) on \(hosts[first].id): \($0.measured)" } ?? ""
            return (
                .fail,
                "\(failed.count) of \(hostCount(asked.count)) \(failed.count == 1 ? "fails" : "fail") (\(names(failed)))\(why)"
            )
        }
        let silent = asked.filter { results[hosts[$0].id.rawValue]?.isEmpty ?? true }
        if gate.onNoData == .fail, !silent.isEmpty {
            return noData(
                gate,
                "\(silent.count) of \(hostCount(asked.count)) gave no answer (\(names(silent)))")
        }
        if !open.isEmpty {
            return (
                .inconclusive,
                "\(open.count) of \(hostCount(asked.count)) gave no clear answer (\(names(open)))"
            )
        }
        return (
            .pass,
            "\(gate.checks.count == 1 ? "1 check holds" : "\(gate.checks.count) checks hold") on "
                + hostCount(asked.count)
        )
    }

    mutating func nextGate(_ number: Int) {
        waves[number].gate += 1
        waves[number].since = now
        waves[number].askedFirst = nil
        waves[number].askAgainAt = nil
        waves[number].asking = nil
    }

    private mutating func failGate(_ number: Int, _ gate: ResolvedGate, _ detail: String) {
        failWave(
            number, "gate \(gate.name) of wave \(waveName(number)) failed: \(detail)")
    }
}

extension GateProbe {
    /// Where it is asked, before the number of hosts.
    fileprivate var place: String {
        switch self {
        case .checks: "on"
        case .approval, .metric, .webhook, .prometheus: "about"
        }
    }
}

extension Verdict {
    /// What it is, after "the gate".
    fileprivate var sentence: String {
        switch self {
        case .pass: "passed"
        case .fail: "failed"
        case .inconclusive: "is inconclusive"
        }
    }
}
