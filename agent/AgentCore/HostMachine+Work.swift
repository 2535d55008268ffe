import FleetWire

/// The work of orders, item by item.
extension HostMachine {
    mutating func begin(_ verb: OrderVerb, _ index: Int, _ turn: inout Turn) {
        run(verb, item: 0, attempt: 1, index, &turn)
    }

    /// Orders the work of one item, or ends the verb when all items are done.
    private mutating func run(
        _ verb: OrderVerb, item: Int, attempt: Int, _ index: Int, _ turn: inout Turn
    ) {
        let plan = transactions[index].plan
        let items = plan.items(for: verb)
        guard item < items.count else {
            succeed(verb, index, &turn)
            return
        }
        transactions[index].phase = .running(verb, item: item, attempt: attempt, pausing: false)
        if verb == .migrate, items[item].mutates, transactions[index].guarded {
            transactions[index].mutated = true
        }
        cross(items[item], index)
        let work = nextWork(index)
        switch items[item] {
        case .artifact(let artifact): turn.effects.append(.fetch(work: work, artifact))
        case .space: turn.effects.append(.checkSpace(work: work, plan.components))
        case .step(let stage, let place, let step):
            report(.stepStarted, of: index, &turn) {
                $0.stage = stage
                $0.step = StepReport(
                    index: place, name: step.name, phase: step.phase, attempt: attempt, outcome: nil
                )
            }
            turn.effects.append(.step(work: work, step, stage, plan))
        case .checks(_, let checks): turn.effects.append(.checks(work: work, checks, plan))
        case .capture(let stage):
            turn.effects.append(
                .capture(
                    work: work, plan.components, reason: "before \(stage.rawValue)",
                    rollout: plan.rollout))
        case .arm:
            // Before the order goes out, so that a crash while arming still disarms.
            transactions[index].guarded = true
            guard
                let order = guardOrder(
                    index, within: plan.stepsWithin + plan.confirmWithin, complete: false, &turn)
            else { return }
            turn.effects.append(.arm(work: work, order))
        case .disarm:
            turn.effects.append(
                .disarm(work: work, plan.rollout, attempt: transactions[index].attempt))
        }
    }

    private func guardOrder(
        _ index: Int, within: Milliseconds, holding: Bool = false, complete: Bool,
        _ turn: inout Turn
    ) -> GuardOrder? {
        let transaction = transactions[index]
        guard let point = transaction.point else { return nil }
        return GuardOrder(
            plan: transaction.plan.keeping([.migration, .verification]),
            attempt: transaction.attempt,
            point: point, deadline: turn.now + within, within: within, holding: holding,
            complete: complete, policy: transaction.policy)
    }

    mutating func rearm(
        _ index: Int, deadline: Timestamp, holding: Bool = false, _ turn: inout Turn
    ) {
        guard transactions[index].guarded else { return }
        let within = deadline.since(turn.now)
        if let order = guardOrder(
            index, within: within, holding: holding, complete: true, &turn)
        {
            turn.effects.append(.rearm(order))
        }
    }

    // MARK: - Ends of work

    mutating func finish(_ work: UInt64, _ result: WorkResult, _ turn: inout Turn) {
        if finishRestoreWork(work, result, &turn) { return }
        guard let index = transactions.firstIndex(where: { $0.pending == work }) else { return }
        transactions[index].pending = nil
        switch transactions[index].phase {
        case .running(let verb, let item, let attempt, let pausing):
            finishItem(verb, item, attempt, pausing, result, index, &turn)
        case .rechecking: finishRecheck(result, index, &turn)
        case .confirming: finishConfirming(result, index, &turn)
        case .rollingBack(let undo): finishUndo(undo, result, index, &turn)
        case .rollbackFailed:
            transactions[index].guarded = false
            if case .guardActed(let outcome) = result { settle(by: outcome, index, &turn) }
        case .failed, .confirmed, .committed, .rolledBack, .released, .held, .left:
            // The guard was let go; had it been faster, the host would be in the same state.
            if case .problem = result { return }
            transactions[index].guarded = false
        case .prepared, .validated, .reconnecting, .awaiting: break
        }
    }

    private mutating func finishItem(
        _ verb: OrderVerb, _ item: Int, _ attempt: Int, _ pausing: Bool, _ result: WorkResult,
        _ index: Int, _ turn: inout Turn
    ) {
        let items = transactions[index].plan.items(for: verb)
        guard item < items.count else { return }
        if pausing {
            if !stop(verb, index, &turn) {
                run(verb, item: item, attempt: attempt + 1, index, &turn)
            }
            return
        }
        let failure: String?
        switch (items[item], result) {
        case (.step(let stage, let place, let step), .step(let outcome)):
            report(.stepFinished, of: index, &turn) {
                $0.stage = stage
                $0.step = StepReport(
                    index: place, name: step.name, phase: step.phase, attempt: attempt,
                    outcome: outcome)
            }
            failure = outcome.status == .done ? nil : "step \(step.name): \(outcome.message)"
            if failure != nil, attempt < step.attempts, transactions[index].wanted == nil,
                !transactions[index].taken.contains(.release)
            {
                transactions[index].phase = .running(
                    verb, item: item, attempt: attempt, pausing: true)
                turn.effects.append(.pause(work: nextWork(index), step.retryDelay))
                return
            }
        case (.checks(let stage, let asked), .checks(let found)):
            report(.checksFinished, of: index, &turn) {
                $0.stage = stage
                $0.checks = found
            }
            failure = Self.failure(of: asked, found)
        case (.capture(let stage), .point(let summary)):
            // What is taken back is the migration and all after it.
            if stage == .migration { transactions[index].point = summary.id }
            report(.captured, of: index, &turn) {
                $0.stage = stage
                $0.point = summary
            }
            failure = nil
        case (.arm, .done):
            reportGuarded(index, &turn)
            failure = nil
        case (.disarm, .done):
            transactions[index].guarded = false
            failure = nil
        case (.artifact, .done), (.space, .done): failure = nil
        case (_, .guardActed(let outcome)):
            settle(by: outcome, index, &turn)
            return
        case (_, .problem(let reason)): failure = reason
        case (_, _): failure = "the work ended with a result of another kind"
        }
        if stop(verb, index, &turn) { return }
        if let failure {
            fail(verb, items[item].stage, failure, index, &turn)
        } else {
            run(verb, item: item + 1, attempt: 1, index, &turn)
        }
    }

    private mutating func reportGuarded(_ index: Int, _ turn: inout Turn) {
        let plan = transactions[index].plan
        let deadline = turn.now + (plan.stepsWithin + plan.confirmWithin)
        report(.guarded, of: index, &turn) { $0.deadline = deadline }
    }

    /// True if something that waited for this work to end takes over now.
    private mutating func stop(_ verb: OrderVerb, _ index: Int, _ turn: inout Turn) -> Bool {
        if let wanted = transactions[index].wanted {
            transactions[index].wanted = nil
            undo(wanted, index, &turn)
            return true
        }
        guard transactions[index].taken.contains(.release), verb == .prepare || verb == .validate
        else { return false }
        transactions[index].phase = .released
        report(.released, of: index, answers: .release, &turn)
        if let next = transactions[index].next {
            transactions[index].next = nil
            let place = transactions.firstIndex { $0.plan.rollout == next.order.rollout }
            begin(next.order, place, next.message, &turn)
        }
        return true
    }

    /// Why a stage's checks fail it, or nil: a critical one that does not pass.
    static func failure(of asked: [CheckSpec], _ found: [CheckResult]) -> String? {
        let critical = asked.filter { $0.level == .critical }
        guard !critical.isEmpty, Verdict(asked: asked, found: found) != .pass else { return nil }
        let reasons = critical.compactMap { spec -> String? in
            guard let result = found.first(where: { $0.name == spec.name }) else {
                return "check \(spec.name) gave no result"
            }
            guard result.status == .fail || spec.isOpen(result.status) else { return nil }
            let ended = result.status == .fail ? "failed" : "is \(result.status.rawValue)"
            return "check \(spec.name) \(ended): \(result.measured)"
        }
        return reasons.isEmpty ? "no check looked at anything" : reasons.joined(separator: "; ")
    }

    private mutating func succeed(_ verb: OrderVerb, _ index: Int, _ turn: inout Turn) {
        switch verb {
        case .prepare:
            transactions[index].phase = .prepared
            report(.prepared, of: index, answers: .prepare, &turn) { $0.stage = .preparation }
        case .validate:
            transactions[index].phase = .validated
            report(.validated, of: index, answers: .validate, &turn) { $0.stage = .validation }
        case .migrate:
            let deadline = turn.now + transactions[index].plan.confirmWithin
            transactions[index].phase = .reconnecting(deadline: deadline)
            rearm(index, deadline: deadline, &turn)
            turn.effects.append(.reconnect)
        case .commit:
            transactions[index].phase = .committed
            transactions[index].plan = transactions[index].plan.keeping([])
            report(.committed, of: index, answers: .commit, &turn) { $0.stage = .finalization }
        case .confirm, .rollback, .release: break
        }
    }

    mutating func fail(
        _ verb: OrderVerb, _ stage: Stage, _ reason: String, _ index: Int, _ turn: inout Turn
    ) {
        if verb == .commit {
            transactions[index].phase = .confirmed
            report(.failed, of: index, answers: .commit, &turn) {
                $0.stage = stage
                $0.failure = reason
            }
            return
        }
        let mutated = transactions[index].mutated
        if !mutated { transactions[index].phase = .failed }
        report(.failed, of: index, answers: verb, &turn) {
            $0.stage = stage
            $0.failure = reason
            $0.mutated = mutated
        }
        if transactions[index].pastReturn != nil {
            transactions[index].phase = .held
        } else if mutated {
            undo(.init(scope: .full, by: .agent, reason: reason), index, &turn)
        } else {
            letGo(index, &turn)
        }
    }

    /// Disarms a guard that has nothing to guard any more. It counts as armed until it was told,
    /// so that a crash in between tells it again.
    mutating func letGo(_ index: Int, _ turn: inout Turn) {
        guard transactions[index].guarded else { return }
        let work = nextWork(index)
        turn.effects.append(
            .disarm(
                work: work, transactions[index].plan.rollout, attempt: transactions[index].attempt))
    }

    private mutating func finishConfirming(
        _ result: WorkResult, _ index: Int, _ turn: inout Turn
    ) {
        switch result {
        case .guardActed(let outcome): settle(by: outcome, index, &turn)
        case .problem(let reason):
            // Unconfirmed is the safe side: the guard cannot be told, so it will act.
            undo(
                .init(scope: .full, by: .agent, reason: "the guard cannot be told: \(reason)"),
                index, &turn)
        case .done, .point, .step, .checks, .evidence, .restored, .restoredPoint, .notRestored:
            keep(index, &turn)
        }
    }
}
