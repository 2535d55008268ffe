import FleetWire
import RolloutPlan

/// The gate before the first host runs a step that cannot be taken back.
struct CrossingRecord: Codable, Sendable, Hashable {
    /// Since when it is waited for.
    var askedAt: Timestamp?
    var approvals: [Approval] = []
    /// Pass once it was opened, fail once it was rejected.
    var verdict: Verdict?
    var detail = "not asked yet"
}

/// The point of no return: its gate, and the hosts that are past it. Such a host is taken back only
/// by an order that says so; whatever else would take it back leaves it as it is and says so.
extension RolloutMachine {
    /// Names of the steps that cannot be taken back, in the plan's order.
    var irreversibleSteps: [String] { plan?.irreversibleSteps ?? [] }

    /// Who opens the gate; nil if every step can be taken back.
    var crossingRule: ApprovalRule? {
        plan?.returning.pointOfNoReturn ?? (irreversibleSteps.isEmpty ? nil : ApprovalRule())
    }

    /// True if the first wave may begin.
    mutating func mayCross() -> Bool {
        guard crossingRule != nil, crossing.verdict != .pass else { return true }
        if crossing.askedAt == nil {
            crossing.askedAt = now
            if let awaited = awaitedApproval { ask(awaited) }
        } else if let awaited = awaitedApproval {
            voidOld(awaited)
        }
        return false
    }

    /// When an approval of the point of no return becomes void by the clock.
    var crossingMoment: Timestamp? {
        guard case .preparing = progress, let awaited = awaitedApproval else { return nil }
        return approvalMoment(awaited)
    }

    /// Nothing was changed yet, so there is nothing to take back and nothing known to be bad.
    mutating func failCrossing(_ text: String) {
        crossing.verdict = .fail
        crossing.detail = text
        let why = "the point of no return was \(text)"
        switch plan?.rollback.onExhausted ?? .pause {
        case .pause: become(.paused, why)
        case .rollback, .abort: abort("\(why); nothing had been changed")
        }
    }

    /// After a rejection the gate is asked again from the start.
    mutating func askCrossingAgain() {
        guard crossing.verdict == .fail else { return }
        crossing.verdict = nil
        crossing.askedAt = nil
        for place in crossing.approvals.indices where crossing.approvals[place].void == nil {
            crossing.approvals[place].void = "it was rejected after it"
        }
    }

    // MARK: - Hosts past it

    /// Notes that a host began a step that cannot be taken back.
    mutating func crossIfIrreversible(_ report: TransactionReport, _ host: Int) {
        guard report.kind == .stepStarted, let step = report.step, hosts[host].pastReturn == nil,
            hosts[host].touched, isIrreversible(step, report.stage)
        else { return }
        change(host) { $0.pastReturn = step.name }
        note(
            "is past the point of no return: step \(step.name) cannot be taken back",
            level: .warning, host: host)
    }

    private func isIrreversible(_ step: StepReport, _ stage: Stage?) -> Bool {
        let steps = plan?.work.stages.first { $0.stage == stage }?.steps ?? []
        guard steps.indices.contains(step.index), steps[step.index].name == step.name else {
            // A step that the plan does not have is taken for the worst that its name can be.
            return irreversibleSteps.contains(step.name)
        }
        return steps[step.index].irreversible
    }

    /// Leaves a host that is past the point of no return as it is, under no order. False for others.
    mutating func holdsPastReturn(_ host: Int) -> Bool {
        guard hosts[host].pastReturn != nil else { return false }
        close(host)
        change(host) { $0.undo = false }
        note(
            "\(pastReturnText([host])): it keeps its change and is not taken back by itself",
            level: .error, host: host)
        return true
    }

    /// Why a rollback of these hosts is not taken without more words; nil if it is.
    func refusalAcrossReturn(
        _ targets: [Int], _ selection: RollbackSelection, reason why: String?
    ) -> String? {
        let past = targets.filter { hosts[$0].pastReturn != nil }
        guard !past.isEmpty else { return nil }
        guard selection.acrossPointOfNoReturn else {
            return "\(listed(past)) \(pastReturnText(past)); "
                + "`--across-point-of-no-return` with `--reason` takes back what can be"
        }
        return Self.isSaid(why)
            ? nil : "a rollback across the point of no return needs a reason; add `--reason`"
    }

    /// `is past the point of no return (step drop)`.
    func pastReturnText(_ list: [Int]) -> String {
        let steps = Set(list.compactMap { hosts[$0].pastReturn }).sorted()
        return (list.count == 1 ? "is" : "are")
            + " past the point of no return (\(steps.count == 1 ? "step" : "steps") "
            + steps.joined(separator: ", ") + ")"
    }

    var acrossCommand: String {
        "`belay rollback \(id?.rawValue ?? "") --across-point-of-no-return --reason …`"
    }
}
