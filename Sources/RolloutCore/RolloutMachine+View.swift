package import FleetWire
import RolloutPlan

extension RolloutMachine {
    /// The rollout as operators see it; nil before `created`. `now` is for estimates only.
    package func view(now: Timestamp) -> RolloutView? {
        guard let plan, let id else { return nil }
        var view = RolloutView(
            id: id, name: plan.name, planDigest: plan.planDigest, by: by, state: state,
            reason: massLoss?.text ?? reason, createdAt: createdAt, endedAt: endedAt,
            waves: waves.indices.map(waveView), hosts: hosts.map(hostView), budgets: budgetViews,
            unavailable: tally.unavailable, unavailableMax: limits.unavailableMax,
            estimatedEnd: estimatedEnd(now), why: whyNow)
        view.pointOfNoReturn = crossingView
        view.rehearsal = rehearsalView
        view.late = lateView
        view.checklist = checklistView(now: now)
        return view
    }

    private func waveView(_ number: Int) -> RolloutView.WaveView {
        let wave = waves[number]
        let gates = plan?.waves[number].gates ?? []
        var view = RolloutView.WaveView(
            name: waveName(number), state: wave.state, hosts: wave.hosts.map { hosts[$0].id },
            soakUntil: wave.state == .soaking ? wave.soakUntil : nil,
            gates: gates.indices.map { place in
                var view = RolloutView.GateView(
                    name: gates[place].name, manual: gates[place].manual,
                    verdict: wave.verdicts[place], detail: wave.details[place])
                if case .approval(let rule) = gates[place].probe {
                    view.persons = rule.persons
                    view.approvalsHold = rule.expires
                }
                view.approvals = wave.approvals[place]
                return view
            })
        if let atOnce = wave.atOnce, let next = grown(number) {
            view.growth = RolloutView.GrowthView(atOnce: atOnce, inRow: wave.inRow, next: next)
        }
        return view
    }

    private var lateView: RolloutView.LateView? {
        let late = hosts.filter {
            $0.state == .late || ($0.alone && ($0.isUnsettled || $0.open != nil))
        }
        guard let policy = plan?.absence, !late.isEmpty else { return nil }
        return RolloutView.LateView(
            hosts: late.map(\.id),
            converges: policy.converges && !isOver && state != .rollingBack)
    }

    private var crossingView: RolloutView.GateView? {
        guard let rule = crossingRule else { return nil }
        var view = RolloutView.GateView(
            name: "point of no return (\(irreversibleSteps.joined(separator: ", ")))", manual: true,
            verdict: crossing.verdict, detail: crossing.detail)
        view.persons = rule.persons
        view.approvalsHold = rule.expires
        view.approvals = crossing.approvals.isEmpty ? nil : crossing.approvals
        return view
    }

    private func hostView(_ host: HostRecord) -> RolloutView.HostView {
        var view = RolloutView.HostView(
            id: host.id, wave: waveName(host.wave), domain: domains[host.domain],
            state: host.state, since: host.since, connected: host.connected,
            stepsTotal: plan?.work.stages.reduce(0) { $0 + $1.steps.count } ?? 0)
        view.attempt = host.attempt
        view.stage = host.progress.stage
        view.phase = host.progress.phase
        view.step = host.progress.step
        view.stepsDone = host.progress.stepsDone
        view.changed = host.progress.changed
        view.point = host.progress.point
        view.failure = host.progress.failure
        view.pastReturn = host.pastReturn
        view.restoreTook = host.progress.restoreTook
        return view
    }

    private var budgetViews: [RolloutView.BudgetView] {
        budgetScopes.map { scope in
            var view = RolloutView.BudgetView(
                scope: scope.name, limit: scope.limit, spent: scope.lost.map { hosts[$0].id })
            view.arithmetic = scope.arithmetic
            return view
        }
    }

    /// From the median of the hosts that got through: the hosts to come, as many at once as the
    /// limits allow, and the soaks to come. Nil while no host got through, a person decides, or a
    /// window may close before.
    private func estimatedEnd(_ now: Timestamp) -> Timestamp? {
        guard state == .running, massLoss == nil, awaitedApproval == nil, let plan else {
            return nil
        }
        let spans = hosts.compactMap { host -> Int64? in
            guard let began = host.migrateAt, let ended = host.confirmedAt else { return nil }
            return ended.since(began).count
        }.sorted()
        guard !spans.isEmpty else { return nil }
        let median = spans[spans.count / 2]
        let atOnce = Int64(max(1, min(limits.parallelMax, limits.unavailableMax)))
        var rest = Milliseconds.zero
        for (number, wave) in waves.enumerated() {
            if plan.waves[number].gates.contains(where: \.manual), wave.state != .passed {
                return nil
            }
            let toGo = Int64(tally.waves[number].unsettled)
            rest = rest + Milliseconds((toGo + atOnce - 1) / atOnce * median)
            switch wave.state {
            case .waiting, .migrating: rest = rest + plan.waves[number].soak
            case .soaking: if let until = wave.soakUntil { rest = rest + until.since(now) }
            case .gating, .passed, .failed: break
            }
        }
        let end = now + max(rest, .zero)
        return mayGoUntil(end) ? end : nil
    }
}
