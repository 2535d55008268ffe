package import FleetWire
import RolloutPlan

/// What one host of a rollout waits for.
extension RolloutMachine {
    /// What one host waits for; nil if it is not in the rollout.
    package func why(host id: HostID, now: Timestamp) -> WhyView? {
        guard let host = index[id.rawValue] else { return nil }
        let record = hosts[host]
        func view(_ waitsFor: String, _ next: String, nextAt: Timestamp? = nil) -> WhyView {
            WhyView(
                waitsFor: waitsFor, since: record.since, next: next, nextAt: nextAt, hosts: [id])
        }
        if record.open != nil, let refusal = record.refusal {
            return view(
                "\(id) \(refusal.why)", "it is asked again", nextAt: refusal.againAt)
        }
        if let open = record.open {
            let moment = record.nextMoment(timing)
            let away = record.connected ? "" : "; it is not connected"
            let next =
                record.connected ? awaits(open) : "its order is given when it connects"
            return view(
                "\(id) \(work(under: open, record)) and has not reported yet: \(open.why)\(away)",
                moment == nil ? next : "\(next), or it is given up", nextAt: moment)
        }
        switch record.state {
        case .pending where isOver, .ready where isOver:
            return view(
                "\(id) was not changed and waits for nothing: the rollout \(state.sentence)",
                "nothing by itself; a new rollout can take it in")
        case .pending:
            return view(
                record.connected
                    ? "\(id) has not begun: the rollout \(state.sentence)"
                    : "\(id) is not connected",
                record.connected ? "it is prepared when the rollout goes on" : "it is prepared")
        case .ready:
            return view(
                "\(id) is ready and waits for \(whyReady(host))", "it is migrated")
        case .soaking where isOver:
            return view(
                "\(id) is confirmed, keeps its change and waits for nothing: the rollout "
                    + state.sentence,
                "nothing by itself; `belay rollback --host \(id)` takes it back")
        case .soaking:
            return view(
                "\(id) is confirmed and keeps its change; the rollout \(state.sentence)",
                "it is committed after the last wave; `belay rollout why` says what that waits for")
        case .failed, .unreachable, .timedOut, .rolledBack, .rollbackFailed:
            return whyLost(record)
        case .committed:
            return view(
                "\(id) is committed and waits for nothing",
                "nothing by itself; `belay rollback --host \(id)` takes it back")
        case .skipped:
            return view(
                "\(id) was left out and waits for nothing",
                "nothing by itself; a new rollout can take it in")
        case .late: return absenceWhy(host)
        case .preparing, .validating, .migrating, .verifying, .rollingBack:
            // Only between two orders, within one event.
            return view(
                "\(id) is \(record.state.label) and was not told more",
                "its next order is given when the rollout, which \(state.sentence), goes on")
        }
    }

    /// What a host does under its order.
    private func work(under open: GivenOrder, _ record: HostRecord) -> String {
        let what =
            switch open.verb {
            case .prepare: "was told to prepare (attempt \(record.attempt))"
            case .validate: "is prepared, was told to validate"
            case .migrate:
                record.progress.stage == .verification
                    ? "is past its last step, is being verified"
                    : "was told to migrate, \(step(of: record))"
            case .confirm: "is verified, was told to keep its change"
            case .commit: "is confirmed, was told to commit"
            case .rollback:
                open.unasked == true
                    ? "takes itself back" : "was told to roll back (\(open.scope ?? .full))"
            case .release: "was told to let go"
            }
        return record.state.isLost || record.state == .skipped
            ? "is \(record.state.label), \(what)" : what
    }

    private func step(of record: HostRecord) -> String {
        record.progress.changed
            ? record.progress.step.map { "is at step \($0)" } ?? "is at a step" : "began no step"
    }

    /// What its report brings about.
    private func awaits(_ open: GivenOrder) -> String {
        switch open.verb {
        case .prepare: "it is validated as soon as it reports that it is prepared"
        case .validate: "it is ready as soon as it reports that its checks passed"
        case .migrate: "it may keep its change as soon as it reports that it is verified"
        case .confirm: "it soaks as soon as it reports that it keeps its change"
        case .commit: "it is done as soon as it reports that it is committed"
        case .rollback: "it is in its old state as soon as it reports that it is back"
        case .release: "it is free as soon as it reports that it let go"
        }
    }

    private func whyLost(_ record: HostRecord) -> WhyView {
        let what = record.state.label
        let failure = record.progress.failure.map { ": \($0)" } ?? ""
        if record.pastReturn != nil, let host = index[record.id.rawValue] {
            return WhyView(
                waitsFor: "\(record.id) is \(what)\(failure); it \(pastReturnText([host]))",
                since: record.since,
                next: "nothing by itself; `belay rollback --host \(record.id) "
                    + "--across-point-of-no-return --reason …` takes back what can be",
                nextAt: nil, hosts: [record.id])
        }
        let next =
            refusalOfRetry([record.id]) == nil
            ? "nothing by itself; `belay rollout retry \(id?.rawValue ?? "") --host \(record.id)` "
                + "takes it in again"
            : "nothing by itself; `belay rollout history \(id?.rawValue ?? "")` tells what happened"
        return WhyView(
            waitsFor: "\(record.id) is \(what)\(failure)", since: record.since, next: next,
            nextAt: nil, hosts: [record.id])
    }

    private func whyReady(_ host: Int) -> String {
        let record = hosts[host]
        if !record.connected { return "its agent to connect" }
        if record.alone { return calendarWhy?.waitsFor ?? "a place within the limits" }
        guard state == .running else { return "the rollout, which \(state.sentence)" }
        switch progress {
        case .wave(let number) where record.wave <= number:
            guard let why = heldBack(number) else { return missingPlace(record.domain) }
            // An open window alone would not let it go.
            return isOpen || hasRoom(for: host)
                ? why : "\(why), and for \(missingPlace(record.domain))"
        case .preparing: return "the preparation of all hosts"
        case .wave, .finalizing: return "its wave, \(waveName(record.wave))"
        }
    }

    /// The limit that leaves no place for a host of the domain.
    private func missingPlace(_ domain: Int) -> String {
        if tally.parallel >= limits.parallelMax {
            return "a place: \(tally.parallel) of \(limits.parallelMax) hosts migrate at once"
        }
        if tally.unavailable >= limits.unavailableMax {
            return
                "a place: \(tally.unavailable) of at most \(limits.unavailableMax) hosts are "
                + "unavailable"
        }
        return "a place in domain \(domainName(domain)): "
            + "\(tally.unavailableByDomain[domain]) of at most "
            + "\(limits.unavailablePerDomainMax ?? limits.unavailableMax) are unavailable"
    }

    /// What holds back every host of the wave.
    private func heldBack(_ number: Int) -> String? {
        if isRehearsing, let host = rehearsal?.host { return "the rehearsal on \(hosts[host].id)" }
        if let closed = calendarWhy { return "the calendar: \(closed.waitsFor)" }
        return growthWhy(number)
    }
}

extension HostState {
    /// True if the host went wrong, or was taken back.
    fileprivate var isLost: Bool {
        switch self {
        case .failed, .unreachable, .timedOut, .rolledBack, .rollbackFailed: true
        case .pending, .preparing, .validating, .ready, .migrating, .verifying, .soaking,
            .committed, .rollingBack, .skipped, .late:
            false
        }
    }
}
