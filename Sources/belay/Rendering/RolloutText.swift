import FleetWire
import OperatorAPI
import RolloutChecklist
import RolloutCore

/// Rollouts in lists and one in full.
enum RolloutText {
    static func list(_ rollouts: [RolloutSummary], now: Timestamp, isWide: Bool, style: Style)
        -> [String]
    {
        var titles = ["ROLLOUT", "NAME", "STATE", "HOSTS", "AGE"]
        if isWide { titles += ["TOOK", "BY", "PLAN", "REASON"] }
        var table = TextTable(titles, right: ["HOSTS", "AGE", "TOOK"])
        table.rows = rollouts.map { view in
            let settled = view.hosts(.soaking) + view.hosts(.committed)
            let all = view.hostStates.values.reduce(0, +)
            var row = [
                view.id.rawValue, view.name,
                style.paint(
                    view.queue.map { "queued, number \($0.position)" } ?? view.state.label,
                    view.state.role),
                "\(settled)/\(all)", view.createdAt.age(at: now),
            ]
            if isWide {
                let end = view.endedAt ?? now
                row += [
                    QuantityText.span(end.since(view.createdAt)), view.by,
                    view.planDigest.short,
                    view.queue.map {
                        "waits for " + $0.waitsFor.map(\.rawValue).joined(separator: ", ")
                    } ?? view.reason,
                ]
            }
            return row
        }
        return table.lines(style: style, empty: "no rollouts")
    }

    static func show(_ view: RolloutView, now: Timestamp, isWide: Bool, style: Style) -> [String] {
        facts(view, now: now, style: style) + [""] + waves(view, style: style) + [""]
            + approvals(view, now: now, style: style)
            + hosts(view, now: now, isWide: isWide, style: style) + [""]
            + budgets(view, style: style) + [""]
            + WhyText.lines(view.why, now: view.endedAt ?? now, style: style)
    }

    private static func facts(_ view: RolloutView, now: Timestamp, style: Style) -> [String] {
        let title =
            style.paint(view.name, .strong) + "  " + style.paint(view.state.label, view.state.role)
        let end = view.endedAt ?? now
        var rows = [
            ("rollout", view.id.rawValue), ("plan", view.planDigest.description),
            ("by", view.by), ("began", QuantityText.date(view.createdAt)),
        ]
        if let ended = view.endedAt { rows.append(("ended", QuantityText.date(ended))) }
        rows.append(("took", QuantityText.span(end.since(view.createdAt))))
        if view.endedAt == nil, let estimate = view.estimatedEnd {
            rows.append(("should end", QuantityText.date(estimate)))
        }
        rows.append(("unavailable", "\(view.unavailable) of \(view.unavailableMax)"))
        if let gate = view.pointOfNoReturn {
            let verdict = gate.verdict?.rawValue ?? "to come"
            rows.append(("no return", PlainText.line("\(verdict): \(gate.detail)")))
        }
        if let list = view.checklist {
            let open = list.openCritical.joined(separator: ", ")
            rows.append(
                (
                    "checklist",
                    "\(list.progress.percent)% of \(list.progress.total)"
                        + (open.isEmpty ? "" : "; critical and open: \(open)")
                ))
        }
        if let rehearsal = view.rehearsal {
            rows.append(("rehearsal", PlainText.line(rehearsal.text)))
        }
        if let late = view.late { rows.append(("late", PlainText.line(late.text))) }
        for wave in view.waves {
            guard let growth = wave.growth, wave.state != .passed, !view.isOver else { continue }
            rows.append(("growth", "\(wave.name): \(growth.text)"))
        }
        rows.append(("reason", PlainText.line(view.reason)))
        return [title]
            + rows.map { "  " + style.paint(DisplayWidth.pad($0, to: 12), .faint) + $1 }
    }

    private static func waves(_ view: RolloutView, style: Style) -> [String] {
        var table = TextTable(
            ["WAVE", "STATE", "HOSTS", "GATE", "VERDICT", "RESTS ON"], right: ["HOSTS"])
        for wave in view.waves {
            let head = [
                wave.name, style.paint(view.label(of: wave), wave.state.role),
                "\(view.settled(in: wave))/\(wave.hosts.count)",
            ]
            if wave.gates.isEmpty { table.rows.append(head) }
            for (index, gate) in wave.gates.enumerated() {
                table.rows.append(
                    (index == 0 ? head : ["", "", ""]) + [
                        gate.name, gate.verdict?.rawValue ?? (gate.manual ? "manual" : "to come"),
                        gate.detail,
                    ])
            }
        }
        return table.lines(style: style)
    }

    /// Who said yes, when and why, and whose word does not count any more.
    private static func approvals(_ view: RolloutView, now: Timestamp, style: Style) -> [String] {
        var table = TextTable(["APPROVAL", "BY", "AT", "COUNTS", "EXPIRES", "REASON"])
        for (title, gate) in view.approvedGates {
            for approval in gate.approvals ?? [] {
                table.rows.append([
                    title, approval.by, QuantityText.date(approval.at),
                    approval.void.map { style.paint("no: \($0)", .caution) } ?? "yes",
                    gate.expiry(of: approval).map { QuantityText.ahead($0, of: now) } ?? "",
                    PlainText.line(approval.reason ?? ""),
                ])
            }
        }
        return table.rows.isEmpty ? [] : table.lines(style: style) + [""]
    }

    private static func hosts(
        _ view: RolloutView, now: Timestamp, isWide: Bool, style: Style
    ) -> [String] {
        var titles = ["HOST", "WAVE", "DOMAIN", "STATE", "STAGE", "STEPS", "POINT", "FAILURE"]
        if isWide {
            titles += ["STEP", "ATTEMPT", "SINCE", "CONNECTED", "CHANGED", "RESTORE", "NO RETURN"]
        }
        var table = TextTable(titles, right: ["STEPS", "ATTEMPT", "RESTORE"])
        table.rows = view.hosts.map { host in
            var row = [
                host.id.rawValue, host.wave, host.domain,
                style.paint(host.state.label, host.state.role), host.stage?.rawValue ?? "",
                "\(host.stepsDone)/\(host.stepsTotal)", host.point?.rawValue ?? "",
                host.failure ?? "",
            ]
            if isWide {
                row += [
                    host.step ?? "", "\(host.attempt)", QuantityText.date(host.since),
                    host.connected ? "yes" : "no", host.changed ? "yes" : "no",
                    host.restoreTook.map(QuantityText.span) ?? "", host.pastReturn ?? "",
                ]
            }
            return row
        }
        return table.lines(style: style)
    }

    private static func budgets(_ view: RolloutView, style: Style) -> [String] {
        var table = TextTable(
            ["BUDGET", "LOST", "MAY BE LOST", "HOSTS", "COUNTED"], right: ["LOST", "MAY BE LOST"])
        table.rows = view.budgets.map { budget in
            [
                budget.scope, "\(budget.spent.count)", "\(budget.limit)",
                budget.spent.map(\.rawValue).joined(separator: ", "), budget.arithmetic ?? "",
            ]
        }
        return table.lines(style: style)
    }

    private static func lostLine(_ state: HostState, _ names: String, _ style: Style) -> String {
        "  " + style.paint(state.symbol(style), state.role) + " \(names) \(state.label)"
    }

    /// What is said once a rollout has ended.
    static func outcome(_ view: RolloutView, style: Style) -> [String] {
        var lines = [
            style.paint(view.state.label, view.state.role)
                + PlainText.line(": \(view.name) (\(view.id)). \(view.reason)")
        ]
        let lost = view.lostHosts
        for host in lost where host.failure != nil {
            lines.append(
                lostLine(host.state, "\(host.id)", style)
                    + PlainText.line(": \(host.failure ?? "")"))
        }
        // Hosts that only went along have nothing of their own to say.
        for state in HostState.allCases {
            let ids = lost.filter { $0.state == state && $0.failure == nil }.map(\.id.rawValue)
            guard !ids.isEmpty else { continue }
            let more = ids.count > 12 ? ", and \(ids.count - 12) more" : ""
            lines.append(
                lostLine(state, ids.prefix(12).joined(separator: ", ") + more, style))
        }
        if !view.lostHosts.isEmpty {
            lines.append(
                style.paint("  more: ", .faint)
                    + "belay rollout report \(view.id), belay rollout history \(view.id)")
        }
        return lines
    }
}
