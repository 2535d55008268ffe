import FleetWire

/// The point of no return: the first step marked `irreversible` that begins. Before it the guard is
/// told to let go, and only then its begin is recorded, so a crash finds either a host that can come
/// back or one that is never taken back unasked. Past it the host keeps its change or waits for a
/// person.
extension HostMachine {
    /// Notes with the record that precedes this work that it cannot be taken back.
    mutating func cross(_ item: WorkItem, _ index: Int) {
        guard case .step(_, _, let step) = item, step.irreversible else { return }
        transactions[index].mutated = true
        transactions[index].pastReturn = transactions[index].pastReturn ?? step.name
    }

    /// The change is kept; no guard is armed any more.
    mutating func keep(_ index: Int, _ turn: inout Turn) {
        transactions[index].phase = .confirmed
        transactions[index].guarded = false
        transactions[index].taken.insert(.confirm)
        report(.confirmed, of: index, answers: .confirm, &turn)
        // An undo that was ordered meanwhile has waited for this.
        if let wanted = transactions[index].wanted {
            transactions[index].wanted = nil
            undo(wanted, index, &turn)
        }
    }
}

extension HostTransaction {
    /// Why it is not taken back by an order that does not say `acrossPointOfNoReturn`, or nil.
    var refusesReturn: Refusal? {
        pastReturn.map {
            Refusal(
                code: "past_return",
                reason: "this host is past the point of no return: step \($0) of rollout "
                    + "\(plan.rollout) cannot be taken back",
                remedy: "`--across-point-of-no-return` with `--reason` restores what can be")
        }
    }
}

extension HostPlan {
    /// The work of `migrate` that may change the host. The guard lets go before the first step that
    /// cannot be taken back, as nothing may restore across it.
    func disarming(_ work: [WorkItem]) -> [WorkItem] {
        let first = work.firstIndex {
            if case .step(_, _, let step) = $0 { step.irreversible } else { false }
        }
        guard let first else { return work }
        return work[..<first] + [.disarm(work[first].stage)] + work[first...]
    }

    /// The first step that could not be taken back and has no guard or gate before it, or nil.
    var misplacedIrreversible: (stage: Stage, step: StepSpec)? {
        for work in stages {
            switch work.stage {
            case .preparation, .validation:
                if let step = work.steps.first(where: \.irreversible) { return (work.stage, step) }
            case .migration, .verification, .finalization: break
            }
        }
        return nil
    }
}
