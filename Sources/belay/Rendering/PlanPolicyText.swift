import FleetWire
import RolloutChecklist
import RolloutPlan

/// How a plan moves, what holds it up and how far it comes back, in words.
struct PlanPolicyText {
    let plan: ResolvedPlan
    let calendar: PlanCalendar?
    let style: Style

    /// Rows for the head of a plan.
    func rows() -> [(String, String)] {
        var rows = [("deadlines", deadlines), ("offline", late), ("mass loss", massLoss)]
        if let times = plan.pace.calendar {
            let windows = times.windows.map(\.text).joined(separator: ", ")
            rows.append(("windows", "\(windows.isEmpty ? "always" : windows) (\(times.zone))"))
            rows += times.freezes.map { freeze in
                let span = [freeze.from, freeze.to].map { WallTime($0)?.spoken ?? $0 }
                return ("frozen", "\(freeze.name): \(span.joined(separator: " to "))")
            }
            rows += calendar?.rows() ?? []
        }
        if plan.pace.rehearses, let first = plan.waves.first?.hosts.first {
            rows.append(
                (
                    "rehearsal",
                    "\(first) goes forward, back, is compared with its rollback point, and only "
                        + "then forward for good"
                ))
        }
        let quarantine = plan.returning.quarantineFor.map { "for \(QuantityText.span($0))" }
        rows.append(
            ("quarantine", "\(quarantine ?? "for good") after a rollback, unless overridden"))
        if plan.returning.compatibleWith.isEmpty, plan.work.components.count > 1 {
            rows.append(
                ("parts", "none goes back alone: no component says what it is compatible_with"))
        }
        return rows
    }

    /// What no command takes back; empty if there is nothing.
    func pointOfNoReturn() -> [String] {
        let steps = plan.irreversibleSteps
        guard !steps.isEmpty else { return [] }
        let opens = plan.returning.pointOfNoReturn.map(Self.persons) ?? "somebody"
        return [
            style.paint("POINT OF NO RETURN", .bad),
            "  " + steps.joined(separator: ", ") + (steps.count == 1 ? " is" : " are")
                + " irreversible: \(opens) must approve before the first host",
            "  a host that ran \(steps.count == 1 ? "it" : "one of them") is not taken back without "
                + "--across-point-of-no-return and a reason", "",
        ]
    }

    /// What people have to do first; empty without a checklist.
    func checklist() -> [String] {
        guard let items = plan.checklist else { return [] }
        var table = TextTable(["CHECKLIST", "CATEGORY", "COMES AFTER", "WHAT"])
        table.rows = items.map { item in
            [
                item.id + (item.isCritical ? "!" : ""), item.category,
                item.dependsOn.joined(separator: ", "), item.description,
            ]
        }
        let critical = items.count { $0.isCritical }
        return table.lines(style: style) + [
            critical == 0
                ? "  no item is critical: it holds nothing up"
                : "  ! no host is changed before "
                    + (critical == 1 ? "it is" : "these \(critical) are") + " done or skipped", "",
        ]
    }

    /// Which component can be taken back alone, as far as the plan says.
    func compatibility() -> [String] {
        let compatible = plan.returning.compatibleWith
        guard !compatible.isEmpty else { return [] }
        let names = plan.work.components.map(\.name)
        var table = TextTable(["BACK ALONE", "WORKS WITH", "NOT SAID TO WORK WITH"])
        table.rows = names.map { name in
            let with = compatible[name.rawValue] ?? []
            let others = names.filter { $0 != name && !with.contains($0) }
            return [name.rawValue, Self.listed(with), Self.listed(others)]
        }
        return table.lines(style: style) + [
            style.paint(
                "parts go back alone only if the last column names none that stays", .faint),
            "",
        ]
    }

    /// What the gates ask, wave by wave; empty if all of them are checks and plain approvals.
    func gates() -> [String] {
        let all = plan.waves.flatMap { wave in wave.gates.map { (wave.name, $0) } }
        let isPlain = all.allSatisfy { _, gate in
            switch gate.probe {
            case .checks: true
            case .approval(let rule): rule == ApprovalRule()
            case .metric, .webhook, .prometheus: false
            }
        }
        guard !isPlain else { return [] }
        var table = TextTable(["GATE", "OPENS IF", "OTHERWISE"])
        table.rows = all.map { wave, gate in
            ["\(wave)/\(gate.name)", Self.condition(gate.probe), Self.otherwise(gate)]
        }
        return table.lines(style: style) + [""]
    }

    /// What waves were to cover and do not.
    func uncovered() -> [String] {
        plan.waves.filter { !$0.uncovered.isEmpty }.map { wave in
            "  " + style.paint("wave \(wave.name), not covered: ", .caution)
                + wave.uncovered.joined(separator: ", ")
        }
    }

    /// `1, 2, 4 at once`, as far as the limits let it grow.
    func growth(of wave: ResolvedWave) -> String {
        let most = min(plan.limits.parallelMax, plan.limits.unavailableMax, wave.hosts.count)
        guard let growth = wave.growth else { return "\(most)" }
        var steps = [min(growth.from, most)]
        while let last = steps.last, last < most, growth.factor > 1, steps.count < 40 {
            steps.append(min(last * growth.factor, most))
        }
        let shown = steps.count > 7 ? steps.prefix(5).map(String.init) + ["…"] : []
        return (shown.isEmpty ? steps.map(String.init) : shown + ["\(most)"])
            .joined(separator: ", ")
    }

    /// `load (metric)`, `go (2 persons)`.
    static func short(_ gate: ResolvedGate) -> String {
        switch gate.probe {
        case .checks(let checks):
            "\(gate.name) (\(QuantityText.count(checks.count, "check")))"
        case .approval(let rule):
            rule.persons == 1
                ? "\(gate.name) (manual)" : "\(gate.name) (\(rule.persons) persons)"
        case .metric: "\(gate.name) (metric)"
        case .webhook: "\(gate.name) (webhook)"
        case .prometheus: "\(gate.name) (prometheus)"
        }
    }
}

extension PlanPolicyText {
    private var deadlines: String {
        let limits = plan.limits
        var parts = [
            "\(QuantityText.span(limits.stageDeadline)) to prepare a host",
            "\(QuantityText.span(limits.migrationDeadline)) to migrate it",
        ]
        if let span = plan.pace.healthyDeadline {
            parts.append("\(QuantityText.span(span)) of it to be healthy")
        }
        parts.append("\(QuantityText.span(limits.unreachableAfter)) unreachable")
        if let span = plan.pace.progressDeadline {
            parts.append("\(QuantityText.span(span)) with no host confirmed")
        }
        return parts.joined(separator: ", ")
    }

    private var late: String {
        switch plan.absence.late {
        case .wait: "hosts are waited for, \(QuantityText.span(plan.limits.unreachableAfter))"
        case .skip:
            plan.absence.converges
                ? "hosts are left out, and go alone when they return"
                : "hosts are left out for good"
        case .fail: "hosts count against the budget at once"
        }
    }

    private var massLoss: String {
        let absence = plan.absence
        let hosts = plan.hosts.count
        let count = max(absence.massLossHostsMin, hosts * absence.massLossPercent / 100 + 1)
        let share = "more than \(absence.massLossPercent)%, at least \(absence.massLossHostsMin)"
        return count > hosts
            ? "never: \(share), of \(QuantityText.count(hosts, "host"))"
            : "\(count) of \(QuantityText.count(hosts, "host")) lost at once freeze it (\(share))"
    }

    private static func condition(_ probe: GateProbe) -> String {
        switch probe {
        case .checks(let checks):
            let names = checks.prefix(5).map(\.name).joined(separator: ", ")
            return "each host passes \(names)\(checks.count > 5 ? ", …" : "")"
        case .approval(let rule):
            return "\(persons(rule)) " + (rule.persons == 1 ? "approves" : "approve")
        case .metric(let rule):
            return "\(rule.aggregate.rawValue) of \(rule.metric) over "
                + "\(QuantityText.span(rule.window)) \(rule.comparison.rawValue) \(number(rule.limit)) "
                + "on each host, of \(QuantityText.count(rule.samplesMin, "sample"))"
        case .webhook(let rule): return "POST \(rule.url) says pass"
        case .prometheus(let rule):
            return "\(rule.query) \(rule.comparison.rawValue) \(number(rule.limit)), "
                + "\(QuantityText.count(rule.samplesMin, "sample")) of \(rule.url)"
        }
    }

    private static func otherwise(_ gate: ResolvedGate) -> String {
        switch gate.probe {
        case .approval(let rule):
            return rule.expires.map { "an approval is void after \(QuantityText.span($0))" }
                ?? "it waits"
        case .checks, .metric, .webhook, .prometheus:
            let asks =
                "asks every \(QuantityText.span(gate.every)), fails after "
                + QuantityText.span(gate.inconclusiveFor)
            switch gate.onNoData {
            case .fail: return "no data fails; else \(asks)"
            case .inconclusive: return "no data is inconclusive; \(asks)"
            }
        }
    }

    private static func persons(_ rule: ApprovalRule) -> String {
        rule.persons == 1 ? "one person" : "\(rule.persons) different persons"
    }

    private static func listed(_ names: [ComponentName]) -> String {
        names.isEmpty ? "-" : names.map(\.rawValue).joined(separator: ", ")
    }

    /// `80`, `0.01`.
    private static func number(_ value: Double) -> String {
        let whole = Int64(exactly: value)
        return whole.map(String.init) ?? "\(value)"
    }
}
