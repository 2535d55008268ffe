import FleetWire
import RolloutChecklist
import RolloutPlan

extension RolloutMachine {
    /// Why a command is refused now, with what to do; nil if it is taken.
    /// `by` is who orders it: an approval counts each person once.
    package func refusal(
        of command: OperatorCommand, by: String, reason why: String?
    ) -> String? {
        guard definition != nil else { return "the rollout was not made yet" }
        switch command {
        case .approve: return refusalOfApproval(by: by)
        case .reject:
            if let refusal = refusalOfDecision { return refusal }
            return Self.isSaid(why) ? nil : "a rejection needs a reason; add `--reason`"
        case .pause: return state == .running ? nil : "\(nowIs); only a running rollout can pause"
        case .resume: return refusalOfResume
        case .promote: return refusalOfPromote
        case .abort:
            switch state {
            case .planned, .awaitingApproval, .running, .paused: return nil
            case .rollingBack: return "\(nowIs); let it end (`belay rollout watch`)"
            case .succeeded, .rolledBack, .rollbackFailed, .aborted:
                return "\(nowIs); there is nothing left to abort"
            }
        case .retry(let names): return refusalOfRetry(names)
        case .skip(let host):
            if let refusal = refusalOfSkip(host) { return refusal }
            return Self.isSaid(why)
                ? nil : "a host is skipped only with a reason; add `--reason`"
        case .rollback(let selection): return refusal(of: selection, reason: why)
        case .checklist(let change): return refusal(of: change, reason: why)?.message
        }
    }

    /// True if a reason was given.
    static func isSaid(_ why: String?) -> Bool { why?.isEmpty == false }

    /// Why nothing can be approved or rejected now; nil if something waits for a person.
    private var refusalOfDecision: String? {
        switch state {
        case .awaitingApproval: return nil
        case .paused where awaitedApproval != nil: return "the rollout is paused; `resume` it first"
        case .running:
            return awaitedApproval == nil ? "\(nowIs); nothing waits for a person now" : nil
        case .planned, .paused, .succeeded, .rollingBack, .rolledBack, .rollbackFailed, .aborted:
            return "\(nowIs); nothing waits for a person now"
        }
    }

    private func refusalOfApproval(by: String) -> String? {
        if let refusal = refusalOfDecision { return refusal }
        guard state == .running, let awaited = awaitedApproval,
            standing(awaited).contains(where: { $0.by == by })
        else { return nil }
        return "\(by) approved it already; it needs another person"
    }

    private var nowIs: String { "the rollout \(state.sentence)" }

    private var refusalOfResume: String? {
        switch state {
        case .paused:
            return exhausted.map {
                "the failure budget is spent (\($0)), so no further host may be touched; "
                    + wayOutOfBudget
            }
        case .running, .rollingBack:
            return massLoss == nil ? "\(nowIs) and not paused" : nil
        case .planned, .awaitingApproval, .succeeded, .rolledBack, .rollbackFailed, .aborted:
            return "\(nowIs); only a paused rollout can be resumed"
        }
    }

    /// A plain rollback is refused once it would only stop again at a host past the point of no
    /// return.
    private var wayOutOfBudget: String {
        heldPastReturn.isEmpty
            ? "`rollback` or `abort` it"
            : "\(acrossCommand) takes the rest back as far as it can, `abort` leaves it as it is"
    }

    private var refusalOfPromote: String? {
        guard state == .running else {
            return state == .paused
                ? "the rollout is paused; `resume` it first" : "\(nowIs); no gate is waited for"
        }
        if progress == .preparing, awaitedApproval != nil {
            return "the point of no return is not promoted; `approve` opens it"
        }
        guard case .wave(let number) = progress else { return "no gate is waited for now" }
        let wave = waves[number]
        switch wave.state {
        case .migrating:
            return wave.needsPerson
                ? nil : "wave \(waveName(number)) is still migrating; promote comes after it"
        case .soaking: return nil
        case .gating:
            let gates = plan?.waves[number].gates ?? []
            guard gates.indices.contains(wave.gate) else { return "no gate is waited for now" }
            guard case .approval(let rule) = gates[wave.gate].probe else {
                return
                    "gate \(gates[wave.gate].name) rests on what is measured; no person can open "
                    + "it"
            }
            return rule.persons == 1
                ? nil
                : "gate \(gates[wave.gate].name) needs \(rule.persons) persons; each of them "
                    + "gives `approve`"
        case .waiting, .passed: return "no gate is waited for now"
        case .failed: return "wave \(waveName(number)) failed; a failed gate cannot be promoted"
        }
    }

    func refusalOfRetry(_ names: [HostID]) -> String? {
        switch state {
        case .running, .paused: break
        case .planned, .awaitingApproval, .succeeded, .rollingBack, .rolledBack, .rollbackFailed,
            .aborted:
            return "\(nowIs); hosts can be tried again while it is running or paused"
        }
        if let exhausted {
            return "the failure budget is spent (\(exhausted)); a retry does not give it back: "
                + wayOutOfBudget
        }
        if progress == .finalizing { return "all waves passed; make a new rollout for the host" }
        for name in names {
            guard let host = index[name.rawValue] else { return "\(name) is not in this rollout" }
            guard hosts[host].canRetry else {
                return "\(name) is \(hosts[host].state.rawValue); only a host that failed and is "
                    + "back in its old state can be tried again"
            }
        }
        return retried(names).isEmpty ? "no host is left to try again" : nil
    }

    private func refusalOfSkip(_ name: HostID) -> String? {
        switch state {
        case .planned, .awaitingApproval, .running, .paused: break
        case .succeeded where awaitsLate: break
        case .succeeded, .rollingBack, .rolledBack, .rollbackFailed, .aborted:
            return "\(nowIs); hosts can be left out only before they are changed"
        }
        guard let host = index[name.rawValue] else { return "\(name) is not in this rollout" }
        if hosts[host].skipped { return "\(name) is left out already" }
        if awaitsLate, !hosts[host].isUnsettled, hosts[host].state != .late {
            return "\(name) is no late host that is still waited for"
        }
        if hosts[host].touched || hosts[host].undo {
            return "\(name) was changed already (\(hosts[host].state.rawValue)); take it back with "
                + "`belay rollback --host \(name)`"
        }
        return nil
    }

    private func refusal(of selection: RollbackSelection, reason why: String?) -> String? {
        if endsUnchanged(selection) { return nil }
        switch state {
        case .running, .paused, .succeeded, .rolledBack, .rollbackFailed, .aborted: break
        case .planned, .awaitingApproval: return "\(nowIs); nothing was changed, so `abort` it"
        case .rollingBack:
            guard let pass, selection.fast, !pass.fast, selection.hosts == .all,
                selection.scope == pass.scope
            else {
                return "\(nowIs) already; only `rollback --fast` of all hosts hastens it"
            }
            return nil
        }
        switch selection.hosts {
        case .all: break
        case .wave(let name):
            guard plan?.waves.contains(where: { $0.name == name }) == true else {
                return "there is no wave \(name) in this rollout"
            }
        case .named(let names):
            if let stranger = names.first(where: { index[$0.rawValue] == nil }) {
                return "\(stranger) is not in this rollout"
            }
        }
        let targets = targets(of: selection.hosts)
        guard !targets.isEmpty else {
            return "none of the chosen hosts holds a change of this rollout"
        }
        if selection.scope != .full || selection.point != nil,
            let busy = targets.first(where: { !hosts[$0].kept })
        {
            return "\(hosts[busy].id) is \(hosts[busy].state.rawValue), so only the whole host can "
                + "be taken back (scope full, its own point)"
        }
        return refusalOfPart(selection.scope, targets)
            ?? refusalAcrossReturn(targets, selection, reason: why)
    }
}
