import FleetWire

/// A host as the seeded runs imagine it: it keeps its reports until they are delivered, answers
/// each order once, and fails at random.
struct ModelHost {
    let id: HostID
    var connected = true
    var outbox: [TransactionReport] = []
    private var taken: Set<String> = []
    private var isApplied = false
    private var isConfirmed = false

    init(id: HostID) { self.id = id }

    mutating func take(_ order: TransactionOrder, faults: Bool, _ random: inout SeededRandom) {
        let key = "\(order.attempt) \(order.verb) \(order.scope.map { "\($0)" } ?? "")"
        guard connected, !taken.contains(key) else { return }
        // A host that hangs has not taken the order; it is given again when it reconnects.
        if faults, random.chance(3) { return }
        taken.insert(key)
        switch order.verb {
        case .prepare, .validate:
            if faults, random.chance(3) {
                outbox.append(report(order, .failed))
            } else {
                outbox += answers(to: order)
            }
        case .migrate: migrate(order, faults: faults, &random)
        case .confirm:
            guard isApplied else { return }
            isConfirmed = true
            outbox += answers(to: order)
        case .commit:
            guard isConfirmed else { return }
            outbox += faults && random.chance(2) ? [report(order, .failed)] : answers(to: order)
        case .rollback:
            isApplied = false
            isConfirmed = false
            if faults, random.chance(5) {
                outbox.append(report(order, .rollbackFailed))
                // An operator who orders it again means a new try.
                taken.remove(key)
            } else {
                outbox += answers(to: order)
            }
        case .release: outbox += answers(to: order)
        }
    }

    private mutating func migrate(
        _ order: TransactionOrder, faults: Bool, _ random: inout SeededRandom
    ) {
        var reports = answers(to: order)
        switch faults ? Int.random(in: 0..<100, using: &random) : 99 {
        case 0..<4:
            var failed = report(order, .failed)
            failed.mutated = false
            outbox.append(failed)
        case 4..<10:
            reports.removeLast()
            var failed = report(order, .failed)
            failed.mutated = true
            outbox += reports + [failed] + back(order, .agent)
        case 10..<13:
            reports.removeLast()
            var failed = report(order, .failed)
            failed.mutated = true
            outbox +=
                reports + [failed, report(order, .rollingBack), report(order, .rollbackFailed)]
        case 13..<16:
            // The guard acts before anybody confirms.
            outbox += reports + back(order, .guard)
        default:
            isApplied = true
            outbox += reports
        }
    }

    private func back(_ order: TransactionOrder, _ actor: RollbackActor) -> [TransactionReport] {
        var back = report(order, .rolledBack)
        back.by = actor
        return [report(order, .rollingBack), back]
    }

    private func report(_ order: TransactionOrder, _ kind: ReportKind) -> TransactionReport {
        TransactionReport(
            sequence: 0, rollout: order.rollout, attempt: order.attempt, at: Scenario.start,
            kind: kind)
    }
}
