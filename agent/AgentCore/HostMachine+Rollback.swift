package import FleetWire

/// Taking back: by order, by failure, at the deadline, by the guard, by an operator on the host.
extension HostMachine {
    mutating func rollBack(
        _ order: TransactionOrder, _ index: Int?, _ message: String, _ turn: inout Turn
    ) {
        guard let index else {
            refuse(message, "not_found", cannot(.rollback, nil), nil, &turn)
            return
        }
        let scope = order.scope ?? .full
        if let problem = problem(with: scope, index) {
            refuse(message, "invalid", problem, nil, &turn)
            return
        }
        if order.acrossPointOfNoReturn != true, let refusal = transactions[index].refusesReturn {
            turn.effects.append(.refuse(message: message, refusal))
            return
        }
        guard transactions[index].undoUnderWay == nil else {
            refuse(message, "busy", "another rollback of this rollout is under way", nil, &turn)
            return
        }
        // An armed guard knows the attempt by its number.
        if !transactions[index].guarded { transactions[index].attempt = order.attempt }
        transactions[index].answers[OrderVerb.rollback.rawValue] = nil
        let undo = HostTransaction.Undo(
            scope: scope, point: order.point, by: .agent, reason: order.why)
        takeBack(undo, index, &turn)
    }

    mutating func rollBackHere(
        _ rollout: RolloutID?, _ scope: RollbackScope, _ point: PointID?, across: Bool,
        _ reason: String?, _ turn: inout Turn
    ) {
        let found = transactions.lastIndex {
            rollout == nil ? $0.point != nil : $0.plan.rollout == rollout
        }
        guard let index = found, problem(with: scope, index) == nil, restore?.isOpen != true
        else { return }
        if let open, open.plan.rollout != transactions[index].plan.rollout { return }
        if !across, transactions[index].refusesReturn != nil { return }
        takeBack(
            .init(
                scope: scope, point: point, by: .operatorOnHost,
                reason: "an operator on the host asked for it"
                    + (reason.map { ": \($0)" } ?? "")), index, &turn)
    }

    /// Why a rollback that does not say `acrossPointOfNoReturn` is refused here, or nil.
    package func refusalOfReturn(rollout: RolloutID) -> Refusal? {
        transactions.first { $0.plan.rollout == rollout }?.refusesReturn
    }

    /// Why this scope cannot be taken back now, or nil.
    package func problem(with scope: RollbackScope, rollout: RolloutID) -> String? {
        guard let index = transactions.firstIndex(where: { $0.plan.rollout == rollout }) else {
            return "this host knows nothing of rollout \(rollout)"
        }
        return problem(with: scope, index)
    }

    private func problem(with scope: RollbackScope, _ index: Int) -> String? {
        let transaction = transactions[index]
        guard transaction.plan.components.contains(where: scope.covers) else {
            return "no component of rollout \(transaction.plan.rollout) is in scope \(scope)"
        }
        guard scope != .full else { return nil }
        switch transaction.phase {
        case .confirmed, .committed, .rolledBack: return nil
        case .running, .prepared, .validated, .failed, .reconnecting, .awaiting, .rechecking,
            .confirming, .rollingBack, .rollbackFailed, .released, .held, .left:
            return "a part can be taken back only of a change that was confirmed; this one is "
                + transaction.phase.name
        }
    }

    /// Begins an undo, or waits for the end of the work that is under way.
    private mutating func takeBack(
        _ undo: HostTransaction.Undo, _ index: Int, _ turn: inout Turn
    ) {
        switch transactions[index].phase {
        case .running, .rechecking, .confirming:
            transactions[index].wanted = undo
            if let work = transactions[index].pending { turn.effects.append(.cancel(work: work)) }
        case .rollingBack: break  // it is being done already, in full
        case .prepared, .validated, .failed, .released, .reconnecting, .awaiting, .confirmed,
            .committed, .rolledBack, .rollbackFailed, .held, .left:
            self.undo(undo, index, &turn)
        }
    }

    /// Begins an undo; nothing else is under way.
    mutating func undo(_ undo: HostTransaction.Undo, _ index: Int, _ turn: inout Turn) {
        var undo = undo
        guard transactions[index].point != nil || undo.point != nil,
            transactions[index].mutated || undo.point != nil
        else {
            // Nothing changed, so nothing is to be restored.
            transactions[index].phase = .rolledBack
            transactions[index].lastUndo = undo
            report(.rolledBack, of: index, answers: .rollback, &turn) {
                $0.scope = undo.scope
                $0.by = undo.by
                $0.took = .zero
            }
            letGo(index, &turn)
            return
        }
        switch transactions[index].phase {
        case .confirmed: undo.rest = .confirmed
        case .running(.commit, _, _, _): undo.rest = .confirmed
        case .committed: undo.rest = .committed
        case .rolledBack: undo.rest = .rolledBack
        case .running, .prepared, .validated, .failed, .reconnecting, .awaiting, .rechecking,
            .confirming, .rollingBack, .rollbackFailed, .released, .held, .left:
            undo.rest = nil
        }
        undo.place = .evidence
        carry(undo, index, &turn)
    }

    /// Orders the work of the undo's present place.
    mutating func carry(_ undo: HostTransaction.Undo, _ index: Int, _ turn: inout Turn) {
        transactions[index].phase = .rollingBack(undo)
        let work = nextWork(index)
        let transaction = transactions[index]
        switch undo.place {
        case .evidence:
            turn.effects.append(
                .evidence(work: work, transaction.plan, reason: undo.reason))
        case .save:
            turn.effects.append(
                .capture(
                    work: work, transaction.plan.components, reason: "before rollback",
                    rollout: transaction.plan.rollout))
        case .restore:
            guard let point = undo.point ?? transaction.point else { return }
            transactions[index].mutated = true
            let names = transaction.plan.components.filter(undo.scope.covers).map(\.name)
            turn.effects.append(
                .restore(
                    work: work, point, undo.scope == .full ? nil : names,
                    rollout: transaction.plan.rollout, attempt: transaction.attempt))
        case .pause: turn.effects.append(.pause(work: work, AgentCoreLimits.restorePause))
        }
    }

    mutating func finishUndo(
        _ undo: HostTransaction.Undo, _ result: WorkResult, _ index: Int, _ turn: inout Turn
    ) {
        if case .guardActed(let outcome) = result {
            settle(by: outcome, index, &turn)
            return
        }
        var next = undo
        switch undo.place {
        case .evidence:
            report(.rollingBack, of: index, &turn) {
                $0.failure = undo.reason
                $0.scope = undo.scope
                $0.by = undo.by
                if case .evidence(let lines) = result { $0.evidence = lines }
            }
            // What goes is saved first, also what failed: it can be looked at, and a rollback be
            // rolled back. Only the guard restores at once, when the agent is dead or too slow.
            next.place = .save
            carry(next, index, &turn)
        case .save:
            // A save that fails must not keep the host from coming back.
            if case .point(let saved) = result {
                report(.captured, of: index, &turn) { $0.point = saved }
            } else if case .problem(let reason) = result {
                next.unsaved = reason
            }
            next.place = .restore
            carry(next, index, &turn)
        case .pause:
            next.place = .restore
            carry(next, index, &turn)
        case .restore: finishRestore(undo, result, index, &turn)
        }
    }

    private mutating func finishRestore(
        _ undo: HostTransaction.Undo, _ result: WorkResult, _ index: Int, _ turn: inout Turn
    ) {
        var next = undo
        next.tries += 1
        let failure: (String, Milliseconds)
        switch result {
        case .restored(let took):
            restored(undo, by: undo.by, took: took, index, &turn)
            return
        case .notRestored(let reason, let took): failure = (reason, took)
        case .problem(let reason): failure = (reason, .zero)
        case .done, .point, .step, .checks, .evidence, .restoredPoint, .guardActed:
            failure = ("the restore ended with a result of another kind", .zero)
        }
        if next.tries < AgentCoreLimits.restoreTriesMax {
            next.place = .pause
            carry(next, index, &turn)
            return
        }
        transactions[index].phase = .rollbackFailed
        transactions[index].lastUndo = undo
        report(.rollbackFailed, of: index, answers: .rollback, &turn) {
            $0.failure = failure.0
            $0.scope = undo.scope
            $0.by = undo.by
            $0.took = failure.1
        }
        transactions[index].answers[OrderVerb.migrate.rawValue] = unacknowledged.last
        letGo(index, &turn)
    }

    private mutating func restored(
        _ undo: HostTransaction.Undo, by actor: RollbackActor, took: Milliseconds, _ index: Int,
        _ turn: inout Turn
    ) {
        switch (undo.scope, undo.rest) {
        case (.full, _), (_, nil), (_, .rolledBack): transactions[index].phase = .rolledBack
        case (_, .confirmed): transactions[index].phase = .confirmed
        case (_, .committed): transactions[index].phase = .committed
        }
        transactions[index].lastUndo = undo
        cover(transactions[index].plan.components.filter(undo.scope.covers))
        report(.rolledBack, of: index, answers: .rollback, &turn) {
            $0.scope = undo.scope
            $0.by = actor
            $0.took = took
            $0.failure = undo.unsaved.map {
                "the state before the rollback could not be saved: \($0)"
            }
        }
        if transactions[index].phase == .rolledBack {
            transactions[index].answers[OrderVerb.migrate.rawValue] = unacknowledged.last
            transactions[index].plan = transactions[index].plan.keeping([])
            transactions[index].pastReturn = nil
        }
        letGo(index, &turn)
    }

    // MARK: - The guard was faster

    /// The guard acted beside a living agent: work that is under way learns it by its own end.
    mutating func overtaken(by outcome: GuardOutcome, _ turn: inout Turn) {
        guard
            let index = transactions.firstIndex(where: {
                $0.plan.rollout == outcome.rollout && $0.attempt == outcome.attempt && $0.guarded
                    && $0.pending == nil && $0.isOpen
            })
        else { return }
        settle(by: outcome, index, &turn)
    }

    /// Takes over what the guard did.
    mutating func settle(by outcome: GuardOutcome, _ index: Int, _ turn: inout Turn) {
        transactions[index].pending = nil
        transactions[index].wanted = nil
        transactions[index].guarded = false
        let reported = transactions[index].phase
        switch outcome.ending {
        case .kept:
            transactions[index].phase = .confirmed
            transactions[index].taken.insert(.confirm)
            report(.confirmed, of: index, answers: .confirm, &turn)
        case .rolledBack, .rollbackFailed:
            if case .rollingBack(let undo) = reported, undo.place != .evidence {
            } else {
                report(.rollingBack, of: index, &turn) {
                    $0.failure = outcome.reason
                    $0.scope = .full
                    $0.by = .guard
                    $0.evidence = outcome.evidence
                }
            }
            let undo = HostTransaction.Undo(scope: .full, by: .guard, reason: outcome.reason)
            if outcome.ending == .rolledBack {
                restored(undo, by: .guard, took: outcome.took, index, &turn)
                return
            }
            transactions[index].phase = .rollbackFailed
            // A restore that failed may have written, whatever the steps had done before.
            transactions[index].mutated = true
            transactions[index].lastUndo = undo
            report(.rollbackFailed, of: index, answers: .rollback, &turn) {
                $0.failure = outcome.reason
                $0.by = .guard
                $0.took = outcome.took
            }
        }
    }
}
