import FleetWire
import RolloutPlan

/// The failure budget: cumulative, at all scopes at once, each host once.
extension RolloutMachine {
    /// A host went wrong: it is counted, and the plan's reaction follows if that was one too many.
    mutating func lose(_ host: Int, as state: HostState, _ why: String) {
        move(host, to: state, failure: why)
        spend(host, why)
    }

    mutating func loseUnreachable(_ host: Int) {
        let why = "was unreachable for more than \(limits.unreachableAfter.text)"
        change(host) {
            $0.lostAt = nil
            $0.deadline = nil
            if $0.touched, !$0.kept, $0.pastReturn == nil {
                // It was in the middle: what it did there is unknown, so it goes back.
                $0.open = GivenOrder(verb: .rollback, scope: .full, why: why)
            } else {
                $0.open = nil
            }
        }
        note(why, level: .error, host: host)
        lose(host, as: .unreachable, why)
    }

    mutating func spend(_ host: Int, _ why: String) {
        guard !hosts[host].spent else { return }
        guard !hosts[host].alone else {
            note("goes alone, so it counts against no budget", level: .warning, host: host)
            return
        }
        change(host) { $0.spent = true }
        spent.append(host)
        tally.spentByWave[hosts[host].wave] += 1
        tally.spentByDomain[hosts[host].domain] += 1
        note("counts against the budget: \(arithmetic(of: host))", level: .warning, host: host)
        guard exhausted == nil, let scope = overspent(by: host) else { return }
        let text = "\(hosts[host].id) \(why); \(scope)"
        exhausted = text
        note("the failure budget is spent: \(text)", level: .error)
        react(to: text)
    }

    private func arithmetic(of host: Int) -> String {
        scopes(of: host).map { "\($0.name) \($0.lost.count) of \($0.limit)" }
            .joined(separator: ", ")
    }

    private func overspent(by host: Int) -> String? {
        scopes(of: host).first { $0.lost.count > $0.limit }.map {
            let list = $0.lost.count == 1 ? "" : " (\(names($0.lost)))"
            return "\($0.name)\(list): \($0.arithmetic)"
        }
    }

    /// The scopes of the budget that a host belongs to.
    private func scopes(of host: Int) -> [BudgetScope] {
        [fleetScope, waveScope(hosts[host].wave), domainScope(hosts[host].domain)]
            .compactMap { $0 }
    }

    /// The plan's answer to a spent budget or a failed gate.
    mutating func react(to why: String) {
        switch state {
        case .running, .paused: break
        case .planned, .awaitingApproval, .succeeded, .rollingBack, .rolledBack, .rollbackFailed,
            .aborted:
            return
        }
        switch plan?.rollback.onExhausted ?? .pause {
        case .rollback:
            quarantine(why)
            endWave()
            beginRollback(why)
        case .pause: become(.paused, why)
        case .abort: abort(why)
        }
    }

    /// The wave under way does not go on: it failed, whoever looks at it later.
    private mutating func endWave() {
        guard case .wave(let number) = progress else { return }
        switch waves[number].state {
        case .migrating, .soaking, .gating:
            waves[number].state = .failed
            waves[number].since = now
            waves[number].asking = nil
        case .waiting, .passed, .failed: break
        }
    }

    private mutating func quarantine(_ why: String) {
        guard let plan else { return }
        effects.append(
            .quarantine(
                [plan.planDigest] + plan.artifacts.map(\.digest), reason: why,
                until: plan.returning.quarantineFor.map { now + $0 }))
        note("the plan and its artifacts are quarantined", level: .warning)
    }
}
