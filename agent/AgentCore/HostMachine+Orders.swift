import FleetWire

/// The coordinator's orders: which are carried out, answered from memory, or refused.
extension HostMachine {
    mutating func take(
        _ order: TransactionOrder, _ term: Generation, _ message: String, _ turn: inout Turn
    ) {
        guard term >= generation else {
            refuse(
                message, "stale_generation",
                "the order is of generation \(term.rawValue), this host has seen "
                    + "\(generation.rawValue)",
                "let the newest coordinator give orders; stop the older one", &turn)
            return
        }
        generation = term
        if let refusal = obstacleToOrder(order.verb) {
            turn.effects.append(.refuse(message: message, refusal))
            return
        }
        let index = transactions.firstIndex { $0.plan.rollout == order.rollout }
        if let index, order.attempt < transactions[index].attempt {
            refuse(
                message, "stale_attempt",
                "the order is of attempt \(order.attempt), this host is at attempt "
                    + "\(transactions[index].attempt)", nil, &turn)
            return
        }
        if let index, answerAgain(order, index, &turn) { return }
        let other = transactions.lastIndex { $0.isOpen && $0.plan.rollout != order.rollout }
        if let other, order.verb != .release {
            guard giveWay(other, to: order, message, &turn) else {
                refuse(
                    message, "busy", "rollout \(transactions[other].plan.rollout) holds this host",
                    "finish it or roll it back first", &turn)
                return
            }
            if transactions[other].isOpen { return }
        }
        switch order.verb {
        case .prepare, .validate, .migrate: begin(order, index, message, &turn)
        case .confirm: confirm(order, index, message, &turn)
        case .commit: commit(order, index, message, &turn)
        case .rollback: rollBack(order, index, message, &turn)
        case .release: release(order, index, message, &turn)
        }
    }

    /// True if the order was already taken in this attempt: its answer goes out again, or will.
    private func answerAgain(_ order: TransactionOrder, _ index: Int, _ turn: inout Turn) -> Bool {
        let transaction = transactions[index]
        guard order.attempt == transaction.attempt else { return false }
        if order.verb == .rollback {
            if transaction.phase == .rollbackFailed { return false }
            let current = transaction.undoUnderWay
            guard let last = current ?? transaction.lastUndo,
                last.scope == order.scope ?? .full, last.point == order.point
            else { return false }
            if current != nil { return true }
        } else if !transaction.taken.contains(order.verb) {
            return false
        }
        if let answer = transaction.answers[order.verb.rawValue] {
            turn.effects.append(.send(answer))
        }
        return true
    }

    mutating func begin(
        _ order: TransactionOrder, _ index: Int?, _ message: String, _ turn: inout Turn
    ) {
        guard let plan = order.plan, plan.rollout == order.rollout, order.attempt >= 1 else {
            refuse(
                message, "invalid", "\(order.verb.rawValue) needs the rollout's plan", nil, &turn)
            return
        }
        if let problem = plan.problem {
            refuse(message, "invalid", problem.reason, problem.remedy, &turn)
            return
        }
        if let index {
            guard transactions[index].canBegin(order.verb, attempt: order.attempt) else {
                refuse(message, "wrong_state", cannot(order.verb, index), nil, &turn)
                return
            }
        }
        var transaction =
            index.map { transactions[$0] }
            ?? HostTransaction(plan: plan, attempt: order.attempt, phase: .released)
        if order.attempt > transaction.attempt {
            transaction = HostTransaction(plan: plan, attempt: order.attempt, phase: .released)
        }
        transaction.plan = plan
        transaction.taken.insert(order.verb)
        // It becomes the newest: what a host did last is what is taken back first.
        if let index { transactions.remove(at: index) }
        transactions.append(transaction)
        begin(order.verb, transactions.count - 1, &turn)
    }

    private mutating func confirm(
        _ order: TransactionOrder, _ index: Int?, _ message: String, _ turn: inout Turn
    ) {
        guard let index, order.attempt == transactions[index].attempt,
            case .awaiting = transactions[index].phase
        else {
            refuse(message, "wrong_state", cannot(.confirm, index), nil, &turn)
            return
        }
        transactions[index].taken.insert(.confirm)
        confirming(index, &turn)
    }

    mutating func confirming(_ index: Int, _ turn: inout Turn) {
        guard transactions[index].guarded else {
            keep(index, &turn)
            return
        }
        transactions[index].phase = .confirming
        let work = nextWork(index)
        let transaction = transactions[index]
        turn.effects.append(
            .disarm(work: work, transaction.plan.rollout, attempt: transaction.attempt))
    }

    private mutating func commit(
        _ order: TransactionOrder, _ index: Int?, _ message: String, _ turn: inout Turn
    ) {
        guard let index, case .confirmed = transactions[index].phase else {
            refuse(message, "wrong_state", cannot(.commit, index), nil, &turn)
            return
        }
        transactions[index].attempt = order.attempt
        transactions[index].taken.insert(.commit)
        transactions[index].answers[OrderVerb.commit.rawValue] = nil
        begin(.commit, index, &turn)
    }

    /// The coordinator gives a host to one rollout at a time, so a `prepare` of another one says
    /// that this one was let go and its `release` was missed. What changed nothing gives way, at
    /// once or at the end of the work that is under way; false if something may have changed.
    private mutating func giveWay(
        _ index: Int, to order: TransactionOrder, _ message: String, _ turn: inout Turn
    ) -> Bool {
        guard order.verb == .prepare else { return false }
        switch transactions[index].phase {
        case .prepared, .validated:
            transactions[index].taken.insert(.release)
            transactions[index].phase = .released
            report(.released, of: index, answers: .release, &turn)
            return true
        case .held:
            // Whoever gives the host to the next rollout decided to leave it as it is.
            transactions[index].phase = .left
            return true
        case .running(let verb, _, _, _) where verb == .prepare || verb == .validate:
            transactions[index].taken.insert(.release)
            transactions[index].next = .init(order: order, message: message)
            if let work = transactions[index].pending { turn.effects.append(.cancel(work: work)) }
            return true
        case .running, .failed, .reconnecting, .awaiting, .rechecking, .confirming, .confirmed,
            .committed, .rollingBack, .rolledBack, .rollbackFailed, .released, .left:
            return false
        }
    }

    private mutating func release(
        _ order: TransactionOrder, _ index: Int?, _ message: String, _ turn: inout Turn
    ) {
        guard let index else {
            refuse(message, "not_found", cannot(.release, nil), nil, &turn)
            return
        }
        switch transactions[index].phase {
        case .prepared, .validated, .failed:
            transactions[index].attempt = order.attempt
            transactions[index].taken.insert(.release)
            transactions[index].phase = .released
            report(.released, of: index, answers: .release, &turn)
        case .running(let verb, _, _, _) where verb == .prepare || verb == .validate:
            transactions[index].taken.insert(.release)
            if let work = transactions[index].pending { turn.effects.append(.cancel(work: work)) }
        case .running, .reconnecting, .awaiting, .rechecking, .confirming, .confirmed, .committed,
            .rollingBack, .rolledBack, .rollbackFailed, .released, .held, .left:
            refuse(message, "wrong_state", cannot(.release, index), nil, &turn)
        }
    }

    // MARK: - Refusals

    func refuse(
        _ message: String, _ code: String, _ reason: String, _ remedy: String?, _ turn: inout Turn
    ) {
        turn.effects.append(
            .refuse(message: message, Refusal(code: code, reason: reason, remedy: remedy)))
    }

    func cannot(_ verb: OrderVerb, _ index: Int?) -> String {
        guard let index else { return "\(verb.rawValue): this host knows nothing of the rollout" }
        let transaction = transactions[index]
        return "\(verb.rawValue) does not fit: attempt \(transaction.attempt) is "
            + "\(transaction.phase.name)"
    }
}

extension HostTransaction {
    /// The undo that runs, or that waits for the end of the present work.
    var undoUnderWay: Undo? {
        if case .rollingBack(let undo) = phase { undo } else { wanted }
    }

    /// True if `verb` of `attempt` may begin now. Within an attempt the verbs go forward only.
    func canBegin(_ verb: OrderVerb, attempt: Int) -> Bool {
        let isNext = attempt > self.attempt
        switch phase {
        case .prepared: return verb != .prepare || isNext
        case .validated: return verb == .migrate || isNext
        case .failed, .rolledBack, .released: return isNext
        case .running, .reconnecting, .awaiting, .rechecking, .confirming, .confirmed, .committed,
            .rollingBack, .rollbackFailed, .held, .left:
            return false
        }
    }
}

extension HostTransaction.Phase {
    /// One word for messages and `status`.
    package var name: String {
        switch self {
        case .running(.prepare, _, _, _): "preparing"
        case .running(.validate, _, _, _): "validating"
        case .running(.commit, _, _, _): "finalizing"
        case .running: "migrating"
        case .prepared: "prepared"
        case .validated: "validated"
        case .failed: "failed before any change"
        case .reconnecting: "reconnecting"
        case .awaiting(let deadline): deadline == nil ? "holding" : "awaiting confirmation"
        case .rechecking: "checking at the deadline"
        case .confirming: "confirming"
        case .confirmed: "confirmed"
        case .committed: "committed"
        case .rollingBack: "rolling back"
        case .rolledBack: "rolled back"
        case .rollbackFailed: "rollback failed"
        case .held: "held past the point of no return"
        case .left: "left past the point of no return"
        case .released: "released"
        }
    }
}
