import FleetWire
import RolloutCore

/// One picture of a rollout for a terminal: view, time and size in, lines out.
struct WatchFrame {
    let view: RolloutView
    let now: Timestamp
    let width: Int
    /// Rows that there are; nil shows every host.
    let height: Int?
    let style: Style
    /// What is wrong with the watching itself.
    var notice: String?

    /// The lines, none wider than `width`.
    func lines() -> [String] {
        let top = header() + [""] + waves() + [""]
        let bottom = [""] + limits() + pace() + [""] + sentence()
        let room = height.map { max(4, $0 - 1 - top.count - bottom.count) }
        return (top + hosts(room: room) + bottom).map { DisplayWidth.cut($0, to: width) }
    }

    private func header() -> [String] {
        let title =
            style.paint(view.name, .strong) + style.paint("  \(view.id)  ", .faint)
            + style.paint(view.state.label, view.state.role)
        let end = view.endedAt ?? now
        var time = QuantityText.span(.seconds(end.since(view.createdAt).count / 1000))
        if view.endedAt == nil, let estimate = view.estimatedEnd, now < estimate {
            time += ", about \(QuantityText.span(coarse(estimate.since(now)))) left"
        }
        let gap = width - DisplayWidth.of(title) - DisplayWidth.of(time)
        var lines =
            gap >= 2
            ? [title + String(repeating: " ", count: gap) + style.paint(time, .faint)]
            : [title, style.paint(time, .faint)]
        if let notice {
            lines += DisplayWidth.wrap(notice, to: width).map { style.paint($0, .caution) }
        }
        return lines
    }

    /// Seconds that flicker say nothing: whole seconds below a minute, tens of seconds above.
    private func coarse(_ span: Milliseconds) -> Milliseconds {
        let seconds = (span.count + 999) / 1000
        return .seconds(seconds < 60 ? seconds : (seconds + 5) / 10 * 10)
    }

    private func waves() -> [String] {
        let names = view.waves.map { DisplayWidth.of($0.name) }.max() ?? 0
        let counts = view.waves.map { "\($0.hosts.count)/\($0.hosts.count)".count }.max() ?? 0
        let states = view.waves.map { view.label(of: $0).count }.max() ?? 0
        return view.waves.map { wave in
            let back = view.takenBack(in: wave)
            let done = back?.done ?? view.settled(in: wave)
            let total = back?.of ?? wave.hosts.count
            let bar = ProgressBar.text(
                done: done, total: total, columns: width >= 72 ? 16 : 8, style: style,
                role: back != nil ? .caution : wave.state == .failed ? .bad : .good)
            let count = DisplayWidth.pad(
                total == 0 ? "" : "\(done)/\(total)\(back == nil ? "" : " back")",
                to: counts + (back == nil ? 0 : 5), right: true)
            var line = style.paint(wave.state.symbol(style), wave.state.role) + " "
            line += DisplayWidth.pad(wave.name, to: names) + "  " + bar + " " + count + "  "
            let detail = gates(of: wave)
            line += style.paint(
                detail.isEmpty
                    ? view.label(of: wave) : DisplayWidth.pad(view.label(of: wave), to: states),
                wave.state.role)
            return detail.isEmpty ? line : line + "  " + detail
        }
    }

    private func gates(of wave: RolloutView.WaveView) -> String {
        var parts: [String] = []
        if let until = wave.soakUntil, wave.state == .soaking, now < until {
            parts.append("\(QuantityText.span(coarse(until.since(now)))) left")
        }
        // Once all is over, what was never asked says nothing.
        for gate in wave.gates where gate.verdict != nil || view.endedAt == nil {
            let (text, role): (String, Style.Role) =
                switch gate.verdict {
                case .pass: ("passed", .good)
                case .fail: ("failed", .bad)
                case .inconclusive: ("inconclusive", .caution)
                case nil where gate.manual && wave.state == .gating: (waits(gate), .caution)
                case nil: (gate.manual ? "manual" : "to come", .faint)
                }
            parts.append(style.paint("\(gate.name) ", .faint) + style.paint(text, role))
        }
        if let growth = wave.growth, wave.state == .migrating, !view.isOver {
            parts.append(style.paint(growth.text, .faint))
        }
        return parts.joined(separator: style.paint(style.symbol(" · ", ", "), .faint))
    }

    /// `waits for you`, `1 of 2 approved, the first expires in 10m`.
    private func waits(_ gate: RolloutView.GateView) -> String {
        let valid = (gate.approvals ?? []).filter { $0.void == nil }
        guard let persons = gate.persons, !valid.isEmpty else { return "waits for you" }
        let end = gate.firstExpiry.map { ", expires \(QuantityText.ahead($0, of: now))" } ?? ""
        return "\(valid.count) of \(persons) approved\(end)"
    }

    /// The rehearsal, late hosts and approvals before the point of no return, if there are any.
    private func pace() -> [String] {
        var rows: [(String, String)] = []
        if let rehearsal = view.rehearsal { rows.append(("rehearsal", rehearsal.text)) }
        if let late = view.late { rows.append(("late", late.text)) }
        if let gate = view.pointOfNoReturn, gate.verdict == nil, view.endedAt == nil,
            gate.approvals?.isEmpty == false
        {
            rows.append(("no return", waits(gate)))
        }
        return rows.map { style.paint("\($0.0) ", .faint) + PlainText.line($0.1) }
    }

    private func hosts(room: Int?) -> [String] {
        guard let room, view.hosts.count + 1 > room else { return table(view.hosts) }
        let order = view.hosts.enumerated().sorted {
            ($0.element.state.rank, $0.offset) < ($1.element.state.rank, $1.offset)
        }.map(\.element)
        let shown = order.prefix(max(1, room - 2))
        return table(Array(shown)) + [rest(order.dropFirst(shown.count))]
    }

    private func rest(_ hosts: ArraySlice<RolloutView.HostView>) -> String {
        let counts = HostState.allCases.compactMap { state in
            let count = hosts.count { $0.state == state }
            return count == 0 ? nil : style.paint("\(count) \(state.label)", state.role)
        }
        return style.paint("and \(QuantityText.count(hosts.count, "more host")): ", .faint)
            + counts.joined(separator: style.paint(", ", .faint))
    }

    private func table(_ hosts: [RolloutView.HostView]) -> [String] {
        let wide = width >= 96
        let middling = width >= 64
        var titles = ["  HOST"]
        if wide { titles += ["WAVE"] }
        titles += ["STATE", "PROGRESS", "FOR"]
        if middling { titles += ["STAGE"] }
        titles += ["STEP"]
        // What changes most stands last, and no state moves a column.
        var table = TextTable(
            titles, right: ["FOR"], flexible: ["STEP", "STAGE", "  HOST"],
            least: ["STATE": 11, "STAGE": 12, "FOR": 3])
        table.rows = hosts.map { host in
            var row = ["\(style.paint(host.state.symbol(style), host.state.role)) \(host.id)"]
            if wide { row += [host.wave] }
            let end = view.endedAt ?? now
            row += [
                style.paint(host.state.label, host.state.role),
                progress(host, columns: middling ? 10 : 5),
                host.state == .pending ? "" : host.since.age(at: end),
            ]
            let isActive = host.state.role == .active || host.state == .rollingBack
            if middling { row += [isActive ? host.stage?.rawValue ?? "" : ""] }
            row += [step(host, isActive: isActive)]
            return row
        }
        return table.lines(style: style, width: width)
    }

    private func step(_ host: RolloutView.HostView, isActive: Bool) -> String {
        if let failure = host.failure, host.state != .committed { return PlainText.line(failure) }
        if !host.connected, host.state != .pending {
            return style.paint("not connected", .caution)
        }
        guard isActive, let step = host.step else { return "" }
        let phase = host.phase.map { style.paint("\($0)/", .faint) } ?? ""
        return phase + step
    }

    private func progress(_ host: RolloutView.HostView, columns: Int) -> String {
        guard host.stepsTotal > 0, host.attempt > 0 else { return "" }
        let bar = ProgressBar.text(
            done: host.stepsDone, total: host.stepsTotal, columns: columns, style: style,
            role: host.state.role)
        let digits = String(host.stepsTotal).count
        return bar + " "
            + DisplayWidth.pad(String(host.stepsDone), to: digits, right: true)
            + "/\(host.stepsTotal)"
    }

    private func limits() -> [String] {
        let over = view.unavailable >= view.unavailableMax && view.unavailable > 0
        var parts = [
            style.paint("unavailable ", .faint)
                + style.paint(
                    "\(view.unavailable) of \(view.unavailableMax)", over ? .caution : .plain)
        ]
        // Scopes in which something went wrong matter; of the others the fleet's stands for all.
        let scopes = view.budgets.filter { !$0.spent.isEmpty || $0.scope == "fleet" }
        for budget in scopes {
            let role: Style.Role =
                budget.spent.count > budget.limit ? .bad : budget.spent.isEmpty ? .plain : .caution
            parts.append(
                style.paint("lost in \(budget.scope) ", .faint)
                    + style.paint("\(budget.spent.count) of \(budget.limit)", role))
        }
        return [parts.joined(separator: style.paint(style.symbol(" · ", ", "), .faint))]
    }

    private func sentence() -> [String] {
        let text: String
        if view.endedAt != nil || ExitStatus(outcomeOf: view) != nil {
            text = view.reason
        } else {
            text = WhyText.sentence(view.why, now: now)
        }
        return DisplayWidth.wrap(PlainText.line(text), to: width)
    }
}
