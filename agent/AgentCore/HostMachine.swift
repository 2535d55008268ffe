package import FleetWire

/// The host machine: what a host does in its rollouts, as a pure value.
///
/// The caller's duties: give `started` first; make the state durable after every event and before
/// the first of its effects; carry effects out in order; give the end of each piece of work back.
/// If the state cannot be made durable, drop it and its effects and keep the former value.
/// docs/reference/host-transaction.md tells the states and what a crash does in each.
package struct HostMachine: Codable, Sendable, Hashable {
    /// The highest term that was seen.
    package internal(set) var generation = Generation(rawValue: 0)
    /// The number of the newest report.
    package internal(set) var reported: UInt64 = 0
    /// Reports that the coordinator has not acknowledged, oldest first.
    package internal(set) var unacknowledged: [TransactionReport] = []
    /// What is remembered of rollouts, oldest first: at most 20, finished ones forgotten oldest
    /// first, open ones never.
    package internal(set) var transactions: [HostTransaction] = []
    /// The newest restore that belongs to no rollout; it may be under way.
    package internal(set) var restore: HostRestore?
    /// What such restores left between two states.
    package internal(set) var halfRestored: [HalfRestored] {
        get { halves ?? [] }
        set { halves = newValue.isEmpty ? nil : newValue }
    }
    /// Nil for none, so that a journal from before there were any is read.
    private var halves: [HalfRestored]?
    var works: UInt64 = 0
    var isConnected = false

    /// A host that has seen nothing.
    package init() {}

    /// The transaction that holds the host, if any.
    package var open: HostTransaction? { transactions.last { $0.isOpen } }

    /// What hello says of the open transaction.
    package var openForHello: OpenTransaction? {
        guard let open, let latest = open.latest else { return nil }
        return OpenTransaction(rollout: open.plan.rollout, attempt: open.attempt, latest: latest)
    }

    /// True while an armed order of this transaction is to be watched. One that is not known here
    /// is: a host that forgot its journal is safest in its old state.
    package func needsGuard(_ rollout: RolloutID, attempt: Int) -> Bool {
        guard let known = transactions.last(where: { $0.plan.rollout == rollout }) else {
            return true
        }
        return known.guarded && known.attempt == attempt
    }

    /// True if `event`, which this state includes, took over what the guard left: its outcome may
    /// be put aside.
    package func readsOutcome(_ event: HostEvent) -> Bool {
        switch event {
        case .started(let outcome): outcome != nil
        case .finished(_, .guardActed): true
        case .guardActed(let outcome):
            !transactions.contains {
                $0.plan.rollout == outcome.rollout && $0.attempt == outcome.attempt && $0.isOpen
            }
        case .order, .term, .connected, .disconnected, .acknowledged, .finished, .tick,
            .operatorRollback, .restore, .stopRestore:
            false
        }
    }

    /// True while work is under way.
    package var isBusy: Bool {
        transactions.contains { $0.pending != nil } || restore?.pending != nil
    }

    /// True while the passing of time can change something.
    package var isWaitingForTime: Bool {
        transactions.contains {
            switch $0.phase {
            case .reconnecting: true
            case .awaiting(let deadline): deadline != nil
            default: false
            }
        }
    }

    /// Takes one event; gives what is to be done, in order.
    package mutating func handle(_ event: HostEvent, at now: Timestamp) -> [HostEffect] {
        var turn = Turn(now: now)
        switch event {
        case .started(let outcome): start(outcome, &turn)
        case .order(let order, let generation, let message):
            take(order, generation, message, &turn)
        case .term(let generation): self.generation = max(self.generation, generation)
        case .connected: connect(&turn)
        case .disconnected: isConnected = false
        case .acknowledged(let sequence):
            unacknowledged.removeAll { $0.sequence <= sequence }
            // A host that was set up anew counts on from what the coordinator knows.
            reported = max(reported, sequence)
        case .guardActed(let outcome): overtaken(by: outcome, &turn)
        case .finished(let work, let result): finish(work, result, &turn)
        case .tick: tick(&turn)
        case .operatorRollback(let rollout, let scope, let point, let across, let reason):
            rollBackHere(rollout, scope, point, across: across == true, reason, &turn)
        case .restore(let wanted): begin(wanted, &turn)
        case .stopRestore: stopRestore(&turn)
        }
        prune()
        return turn.effects
    }

    /// One event's moment and the effects that it has had so far.
    struct Turn {
        let now: Timestamp
        var effects: [HostEffect] = []
    }

    // MARK: - What all parts share

    mutating func nextWork(_ index: Int) -> UInt64 {
        works += 1
        transactions[index].pending = works
        return works
    }

    /// Makes a report, keeps it until it is acknowledged, and sends it.
    mutating func report(
        _ kind: ReportKind, of index: Int, answers verb: OrderVerb? = nil, _ turn: inout Turn,
        fill: (inout TransactionReport) -> Void = { _ in }
    ) {
        reported += 1
        var report = TransactionReport(
            sequence: reported, rollout: transactions[index].plan.rollout,
            attempt: transactions[index].attempt, at: turn.now, kind: kind)
        fill(&report)
        report.failure = report.failure?.cut(toJSONBytes: AgentCoreLimits.failureBytesMax)
        report.checks = report.checks?.fittingFrame()
        unacknowledged.append(report)
        transactions[index].latest = kind
        if let verb { transactions[index].answers[verb.rawValue] = report }
        turn.effects.append(.send(report))
    }

    /// A new session: whatever is not acknowledged goes out again, in order.
    private mutating func connect(_ turn: inout Turn) {
        isConnected = true
        for report in unacknowledged { turn.effects.append(.send(report)) }
        guard let index = transactions.lastIndex(where: { $0.isOpen }) else { return }
        switch transactions[index].phase {
        case .reconnecting(let deadline): verify(index, deadline: deadline, &turn)
        case .awaiting(nil):
            let deadline = turn.now + transactions[index].plan.confirmWithin
            rearm(index, deadline: deadline, &turn)
            verify(index, deadline: deadline, &turn)
        case .running, .prepared, .validated, .failed, .awaiting, .rechecking, .confirming,
            .confirmed, .committed, .rollingBack, .rolledBack, .rollbackFailed, .released, .held,
            .left:
            break
        }
    }

    private mutating func verify(_ index: Int, deadline: Timestamp, _ turn: inout Turn) {
        transactions[index].phase = .awaiting(deadline: deadline)
        report(.verified, of: index, answers: .migrate, &turn) {
            $0.stage = .verification
            $0.deadline = deadline
        }
    }

    private mutating func prune() {
        while transactions.count > AgentCoreLimits.transactionsMax,
            let oldest = transactions.firstIndex(where: { !$0.isOpen })
        {
            transactions.remove(at: oldest)
        }
    }
}
