import FleetWire
import RolloutCore

/// The engine at work on a fleet of hosts that are all well: gives the events one by one, each as
/// the journal has it.
struct RolloutWork {
    private let plan: JournalPlan
    private var machine = RolloutMachine()
    /// What hosts have to say, those that were asked first.
    private var reports: [(HostID, TransactionReport)] = []
    private var told = 0
    private var wakeAt: Timestamp?
    /// Reports of each host so far.
    private var counts: [HostID: UInt64] = [:]
    /// Orders that were answered; a repeated one is not answered again.
    private var answered: Set<String> = []

    init(plan: JournalPlan) { self.plan = plan }

    /// Takes an event that stands in the journal already.
    mutating func replay(_ event: RolloutEvent) {
        if case .reported(let host, let report, _) = event {
            counts[host] = max(counts[host] ?? 0, report.sequence)
            if let place = reports[told...].firstIndex(where: { $0.0 == host }) {
                reports.remove(at: place)
            }
        }
        take(event)
    }

    /// The next event; nil once nothing more happens.
    mutating func next(at now: Timestamp) -> RolloutEvent? {
        let event: RolloutEvent
        if machine.createdAt == Timestamp(milliseconds: 0) {
            guard let created = plan.created(at: now) else { return nil }
            event = created
        } else if told < reports.count {
            let (host, report) = reports[told]
            told += 1
            event = .reported(host, report, at: now)
        } else if let due = wakeAt, !machine.isFinished {
            wakeAt = nil
            event = .ticked(at: max(due, now))
        } else {
            return nil
        }
        take(event)
        return event
    }

    private mutating func take(_ event: RolloutEvent) {
        for effect in machine.handle(event) {
            switch effect {
            case .order(let host, let order): answer(order, host)
            case .wake(let at): wakeAt = at
            case .evaluateGate, .readCalendar, .compare, .note, .quarantine: break
            }
        }
    }

    private mutating func answer(_ order: TransactionOrder, _ host: HostID) {
        guard answered.insert("\(host) \(order.attempt) \(order.verb)").inserted else { return }
        func say(_ kind: ReportKind, _ more: (inout TransactionReport) -> Void = { _ in }) {
            let number = (counts[host] ?? 0) + 1
            counts[host] = number
            var report = TransactionReport(
                sequence: number, rollout: order.rollout, attempt: order.attempt,
                at: machine.createdAt + Milliseconds(Int64(number)), kind: kind)
            more(&report)
            reports.append((host, report))
        }
        switch order.verb {
        case .prepare: say(.prepared)
        case .validate: say(.validated)
        case .migrate:
            say(.captured) { $0.point = Self.point(host, order.rollout, $0.at) }
            say(.guarded)
            for (index, step) in (order.plan?.stages.first?.steps ?? []).enumerated() {
                let began = StepReport(
                    index: index, name: step.name, phase: step.phase, attempt: 1, outcome: nil)
                var ended = began
                ended.outcome = StepOutcome(
                    status: .done, message: "ended with 0", output: "the step said this\n",
                    took: .seconds(1))
                for (kind, progress) in [(ReportKind.stepStarted, began), (.stepFinished, ended)] {
                    say(kind) {
                        $0.stage = .migration
                        $0.step = progress
                    }
                }
            }
            say(.verified)
        case .confirm: say(.confirmed)
        case .commit: say(.committed)
        case .rollback: for kind in [ReportKind.rollingBack, .rolledBack] { say(kind) }
        case .release: say(.released)
        }
    }

    private static func point(
        _ host: HostID, _ rollout: RolloutID, _ at: Timestamp
    ) -> PointSummary? {
        Digest(String(repeating: "cd", count: 32)).map {
            PointSummary(
                id: PointID(unchecked: "point-\(host)"), at: at, reason: "before migration",
                rollout: rollout, components: [], digest: $0)
        }
    }
}
