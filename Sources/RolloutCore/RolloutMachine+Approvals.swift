import FleetWire
import RolloutPlan

/// A gate that persons open: a wave's present gate, or the point of no return.
struct AwaitedApproval {
    enum Place { case wave(Int, gate: Int), crossing }
    var place: Place
    var rule: ApprovalRule
    /// `gate go of wave canary`, `the point of no return`.
    var title: String
    var since: Timestamp
}

/// Approvals: one or two different persons, each once, and none for longer than the rule says.
/// Who made the rollout may be one of them; the two only have to differ from each other.
extension RolloutMachine {
    /// The approval that is waited for; nil if none is.
    var awaitedApproval: AwaitedApproval? {
        switch progress {
        case .preparing:
            guard let rule = crossingRule, let since = crossing.askedAt, crossing.verdict == nil
            else { return nil }
            return AwaitedApproval(
                place: .crossing, rule: rule, title: "the point of no return", since: since)
        case .wave(let number):
            let wave = waves[number]
            guard wave.state == .gating, let gates = plan?.waves[number].gates,
                gates.indices.contains(wave.gate), let since = wave.askedFirst,
                case .approval(let rule) = gates[wave.gate].probe
            else { return nil }
            return AwaitedApproval(
                place: .wave(number, gate: wave.gate), rule: rule,
                title: "gate \(gates[wave.gate].name) of wave \(waveName(number))", since: since)
        case .finalizing: return nil
        }
    }

    /// Approvals of a gate that count now.
    func standing(_ awaited: AwaitedApproval) -> [Approval] {
        approvals(of: awaited.place).filter { $0.void == nil && !isOld($0, awaited.rule) }
    }

    /// When the oldest approval that counts becomes void.
    func approvalMoment(_ awaited: AwaitedApproval) -> Timestamp? {
        guard let span = awaited.rule.expires else { return nil }
        return standing(awaited).map { $0.at + span }.min()
    }

    /// What is still missing, and whose word is void.
    func approvalText(_ awaited: AwaitedApproval) -> String {
        let all = approvals(of: awaited.place)
        let valid = standing(awaited)
        let persons = awaited.rule.persons
        let given = valid.isEmpty ? "" : " by \(valid.map(\.text).joined(separator: ", "))"
        let void = all.filter { one in one.void != nil && !valid.contains { $0.by == one.by } }
        let lost = void.last.map { "; that of \($0.by) is void: \($0.void ?? "")" } ?? ""
        return persons == 1
            ? "it waits for a person\(lost)"
            : "\(valid.count) of \(persons) different persons approved\(given)\(lost)"
    }

    mutating func approve(_ awaited: AwaitedApproval, by: String, reason why: String?) {
        voidOld(awaited)
        var all = approvals(of: awaited.place)
        all.append(Approval(by: by, at: now, reason: why))
        keep(all, of: awaited.place)
        let valid = standing(awaited)
        if valid.count >= awaited.rule.persons {
            let names = valid.map(\.text).joined(separator: ", ")
            open(awaited, "approved by \(names)")
        } else {
            describe(awaited)
            if let moment = approvalMoment(awaited) { wake(by: moment) }
        }
    }

    mutating func reject(_ awaited: AwaitedApproval, by: String, reason why: String) {
        let text = "rejected by \(by): \(why)"
        switch awaited.place {
        case .wave(let number, let gate):
            waves[number].verdicts[gate] = .fail
            waves[number].details[gate] = text
            failWave(number, "\(awaited.title) failed: \(text)")
        case .crossing: failCrossing(text)
        }
    }

    private mutating func open(_ awaited: AwaitedApproval, _ detail: String) {
        note("\(awaited.title) is open: \(detail)")
        switch awaited.place {
        case .wave(let number, let gate):
            waves[number].verdicts[gate] = .pass
            waves[number].details[gate] = detail
            nextGate(number)
        case .crossing:
            crossing.verdict = .pass
            crossing.detail = detail
        }
    }

    /// Asks for persons, once; whatever was said of the wave before it came here is void.
    mutating func awaitPersons(_ number: Int, _ gate: ResolvedGate) {
        if waves[number].askedFirst == nil {
            waves[number].askedFirst = now
            voidAll(number, waves[number].gate, "the wave waited for hosts again")
            waves[number].verdicts[waves[number].gate] = nil
            if let awaited = awaitedApproval { ask(awaited) }
        } else if let awaited = awaitedApproval {
            voidOld(awaited)
        }
    }

    /// Tells who is waited for.
    mutating func ask(_ awaited: AwaitedApproval) {
        let who = awaited.rule.persons == 1 ? "a person" : "\(awaited.rule.persons) persons"
        reason = "\(awaited.title) waits for \(who): \(command("approve"))"
        describe(awaited)
        note(reason)
    }

    /// Names every approval that has become too old.
    mutating func voidOld(_ awaited: AwaitedApproval) {
        var all = approvals(of: awaited.place)
        let old = all.indices.filter { all[$0].void == nil && isOld(all[$0], awaited.rule) }
        guard !old.isEmpty, let span = awaited.rule.expires else { return }
        for place in old {
            all[place].void = "it is older than \(span.text)"
            note(
                "the approval of \(awaited.title) by \(all[place].by) is void: it is older than "
                    + span.text, level: .warning)
        }
        keep(all, of: awaited.place)
        describe(awaited)
        if let moment = approvalMoment(awaited) { wake(by: moment) }
    }

    mutating func voidAll(_ number: Int, _ gate: Int, _ why: String) {
        guard var all = waves[number].approvals[gate] else { return }
        for place in all.indices where all[place].void == nil {
            all[place].void = why
            note(
                "the approval of \(all[place].by) is void: \(why)", level: .warning, wave: number)
        }
        waves[number].approvals[gate] = all
    }

    func approvals(of place: AwaitedApproval.Place) -> [Approval] {
        switch place {
        case .wave(let number, let gate): waves[number].approvals[gate] ?? []
        case .crossing: crossing.approvals
        }
    }

    private mutating func keep(_ all: [Approval], of place: AwaitedApproval.Place) {
        switch place {
        case .wave(let number, let gate): waves[number].approvals[gate] = all
        case .crossing: crossing.approvals = all
        }
    }

    private mutating func describe(_ awaited: AwaitedApproval) {
        let text = approvalText(awaited)
        switch awaited.place {
        case .wave(let number, let gate): waves[number].details[gate] = text
        case .crossing: crossing.detail = text
        }
    }

    private func isOld(_ approval: Approval, _ rule: ApprovalRule) -> Bool {
        rule.expires.map { approval.at + $0 <= now } ?? false
    }
}
