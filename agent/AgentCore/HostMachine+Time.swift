import FleetWire

/// Starts after a stop or a crash, and deadlines.
extension HostMachine {
    /// The agent was stopped or killed at any instant; every phase says how it goes on.
    mutating func start(_ outcome: GuardOutcome?, _ turn: inout Turn) {
        isConnected = false
        for index in transactions.indices {
            transactions[index].pending = nil
            transactions[index].next = nil
            if let outcome, outcome.rollout == transactions[index].plan.rollout,
                outcome.attempt == transactions[index].attempt, transactions[index].guarded,
                transactions[index].phase != .rolledBack
            {
                settle(by: outcome, index, &turn)
            } else {
                resume(index, &turn)
            }
        }
        resumeRestore(&turn)
    }

    private mutating func resume(_ index: Int, _ turn: inout Turn) {
        switch transactions[index].phase {
        case .running(let verb, let item, _, _):
            if let wanted = transactions[index].wanted {
                transactions[index].wanted = nil
                undo(wanted, index, &turn)
                return
            }
            // What was cut off is never run again in this attempt.
            let items = transactions[index].plan.items(for: verb)
            let stage = item < items.count ? items[item].stage : .migration
            fail(verb, stage, "the agent stopped in the middle", index, &turn)
        case .reconnecting(let deadline): rewatch(index, deadline, &turn)
        case .awaiting(let deadline): rewatch(index, deadline, &turn)
        case .rechecking:
            transactions[index].phase = .awaiting(deadline: turn.now)
            overdue(index, &turn)
        case .confirming:
            if let wanted = transactions[index].wanted {
                transactions[index].wanted = nil
                undo(wanted, index, &turn)
            } else {
                confirming(index, &turn)
            }
        case .rollingBack(let undo): carry(undo, index, &turn)
        case .confirmed, .committed, .rolledBack, .rollbackFailed, .prepared, .validated, .failed,
            .released, .held, .left:
            letGo(index, &turn)
        }
    }

    /// After a reboot no guard runs: the rearmed order starts one.
    private mutating func rewatch(_ index: Int, _ deadline: Timestamp?, _ turn: inout Turn) {
        guard let deadline else {
            hold(index, &turn)
            return
        }
        if turn.now < deadline {
            rearm(index, deadline: deadline, &turn)
        } else {
            overdue(index, &turn)
        }
    }

    mutating func tick(_ turn: inout Turn) {
        for index in transactions.indices { overdue(index, &turn) }
    }

    /// Acts if nobody confirmed in time.
    private mutating func overdue(_ index: Int, _ turn: inout Turn) {
        let deadline: Timestamp?
        switch transactions[index].phase {
        case .reconnecting(let moment): deadline = moment
        case .awaiting(let moment): deadline = moment
        case .running, .prepared, .validated, .failed, .rechecking, .confirming, .confirmed,
            .committed, .rollingBack, .rolledBack, .rollbackFailed, .released, .held, .left:
            deadline = nil
        }
        guard let deadline, turn.now >= deadline else { return }
        switch transactions[index].policy {
        case .rollback: expire(index, "nobody confirmed in time", &turn)
        case .hold where isConnected:
            expire(index, "the coordinator is reachable and did not confirm in time", &turn)
        case .hold, .commitIfValid: recheck(index, &turn)
        }
    }

    private mutating func expire(_ index: Int, _ reason: String, _ turn: inout Turn) {
        guard transactions[index].pastReturn == nil else {
            fail(.migrate, .verification, reason, index, &turn)
            return
        }
        undo(.init(scope: .full, by: .agent, reason: reason), index, &turn)
    }

    private mutating func recheck(_ index: Int, _ turn: inout Turn) {
        let plan = transactions[index].plan
        let checks = plan.stage(.verification).checks
        guard !checks.isEmpty else {
            // Nothing was looked at, so nothing says that the change is good.
            expire(index, "nobody confirmed in time and the plan has no verification checks", &turn)
            return
        }
        transactions[index].phase = .rechecking
        // The guard must not take the checks' time for silence.
        let within = checks.reduce(Milliseconds.zero) {
            $0 + ($1.timeout + AgentCoreLimits.stepGrace)
        }
        rearm(index, deadline: turn.now + within, &turn)
        turn.effects.append(.checks(work: nextWork(index), checks, plan))
    }

    mutating func finishRecheck(_ result: WorkResult, _ index: Int, _ turn: inout Turn) {
        if case .guardActed(let outcome) = result {
            settle(by: outcome, index, &turn)
            return
        }
        if let wanted = transactions[index].wanted {
            transactions[index].wanted = nil
            undo(wanted, index, &turn)
            return
        }
        let asked = transactions[index].plan.stage(.verification).checks
        guard case .checks(let found) = result else {
            expire(index, "nobody confirmed in time and the checks could not run", &turn)
            return
        }
        report(.checksFinished, of: index, &turn) {
            $0.stage = .verification
            $0.checks = found
        }
        guard Verdict(asked: asked, found: found) == .pass else {
            expire(
                index,
                "nobody confirmed in time; "
                    + (Self.failure(of: asked, found) ?? "no check passed"), &turn)
            return
        }
        switch transactions[index].policy {
        case .commitIfValid: confirming(index, &turn)
        case .rollback: expire(index, "nobody confirmed in time", &turn)
        case .hold where isConnected:
            let deadline = turn.now + transactions[index].plan.confirmWithin
            transactions[index].phase = .reconnecting(deadline: deadline)
            rearm(index, deadline: deadline, &turn)
            turn.effects.append(.reconnect)
        case .hold: hold(index, &turn)
        }
    }

    private mutating func hold(_ index: Int, _ turn: inout Turn) {
        transactions[index].phase = .awaiting(deadline: nil)
        rearm(
            index, deadline: turn.now + transactions[index].plan.confirmWithin, holding: true, &turn
        )
    }
}
