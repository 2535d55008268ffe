import FleetWire
import RolloutPlan

/// The only ways in which state changes, so that counts and history stay true.
extension RolloutMachine {
    var plan: ResolvedPlan? { definition?.plan }

    var limits: RolloutLimits {
        plan?.limits
            ?? RolloutLimits(
                parallelMax: 1, unavailableMax: 1, unavailablePerDomainMax: nil,
                stageDeadline: .zero, migrationDeadline: .zero, unreachableAfter: .zero)
    }

    mutating func clock(_ at: Timestamp) { now = max(now, at) }

    /// Changes one host; counts and wakes follow.
    mutating func change(_ host: Int, _ body: (inout HostRecord) -> Void) {
        tally.count(hosts[host], by: -1)
        body(&hosts[host])
        tally.count(hosts[host], by: 1)
        setAlarm(host)
        lineUp(host)
    }

    /// Moves one host to another state.
    mutating func move(_ host: Int, to state: HostState, failure: String? = nil) {
        change(host) { [now] in
            if $0.state != state { $0.since = now }
            $0.state = state
            if let failure { $0.progress.failure = failure }
        }
        if failure != nil { shrink() }
    }

    mutating func become(_ next: RolloutState, _ why: String) {
        reason = why
        guard next != state else { return }
        state = next
        since = now
        switch next {
        case .succeeded, .rolledBack, .rollbackFailed, .aborted:
            endedAt = now
            endMassLoss()
            endRehearsal()
        case .planned, .awaitingApproval, .running, .paused, .rollingBack: endedAt = nil
        }
        retime()
        let level: HistoryEntry.Level =
            switch next {
            case .rollbackFailed: .error
            case .rollingBack, .aborted, .rolledBack: .warning
            case .planned, .awaitingApproval, .running, .paused, .succeeded: .info
            }
        note("the rollout \(next.sentence): \(why)", level: level)
        if next == .succeeded { meetLateHosts() }
    }

    /// Puts a host under an order and gives it.
    mutating func order(_ host: Int, _ order: GivenOrder, within span: Milliseconds?) {
        change(host) { [now] in
            $0.open = order
            $0.refusal = nil
            $0.deadline = span.map { now + $0 }
        }
        give(host)
        // What the rollout itself just said is not said again for each of its hosts.
        let why = order.why == reason ? "" : ": \(order.why)"
        let verb = order.verb == .rollback ? "roll back" : order.verb.rawValue
        note("ordered to \(verb)\(why)", host: host)
    }

    /// Gives (again) the order that a host is under.
    mutating func give(_ host: Int) {
        let record = hosts[host]
        guard let open = record.open, let id, let plan else { return }
        if open.unasked == true { change(host) { $0.open?.unasked = nil } }
        var work: HostPlan?
        switch open.verb {
        case .prepare, .validate, .migrate:
            work = HostPlan(
                rollout: id, planDigest: plan.planDigest, labels: plan.hosts[record.place].labels,
                variables: plan.work.variables, artifacts: plan.artifacts,
                components: plan.work.components, stages: plan.work.stages,
                confirmWithin: plan.work.confirmWithin, coordinatorLost: plan.work.coordinatorLost)
        case .confirm, .commit, .rollback, .release: break
        }
        effects.append(
            .order(
                record.id,
                TransactionOrder(
                    rollout: id, attempt: record.attempt, verb: open.verb, plan: work,
                    scope: open.scope, point: open.point, acrossPointOfNoReturn: open.across,
                    why: open.why)))
    }

    mutating func note(
        _ text: String, level: HistoryEntry.Level = .info, actor: String = "coordinator",
        host: Int? = nil, wave: Int? = nil, _ more: (inout HistoryEntry) -> Void = { _ in }
    ) {
        var entry = HistoryEntry(
            at: now, actor: actor, level: level, host: host.map { hosts[$0].id },
            wave: (wave ?? host.map { hosts[$0].wave }).map(waveName), text: text)
        more(&entry)
        effects.append(.note(entry))
    }

    func waveName(_ wave: Int) -> String { plan?.waves[wave].name ?? "" }

    func domainName(_ domain: Int) -> String {
        domains[domain].isEmpty ? "(none)" : domains[domain]
    }

    /// `1 host`, `2 hosts`.
    func hostCount(_ number: Int) -> String { number == 1 ? "1 host" : "\(number) hosts" }

    /// `a1, a2, … and 7 more`.
    func names(_ list: [Int]) -> String {
        let shown = list.prefix(RolloutLimit.namesMax).map { hosts[$0].id.rawValue }
        let rest = list.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
