import FleetWire
import RolloutCore

/// The beginning of a report: how it ended, what it cost, and what went wrong.
extension ReportText {
    static func title(_ report: RolloutReport) -> String {
        "Rollout \(report.rollout.name): \(label(report.rollout.state.rawValue))"
    }

    /// The outcome in one paragraph.
    static func outcome(_ report: RolloutReport) -> String {
        let view = report.rollout
        var text = view.reason.prefix(1).uppercased() + view.reason.dropFirst()
        if !text.hasSuffix(".") { text += "." }
        let counts = HostState.allCases.compactMap { state in
            let count = view.hosts.count { $0.state == state }
            return count == 0 ? nil : "\(count) \(label(state.rawValue))"
        }
        text += " Hosts: " + counts.joined(separator: ", ") + "."
        let untouched = view.hosts.count { !$0.changed && $0.restoreTook == nil }
        if untouched > 0 { text += " \(untouched) of \(view.hosts.count) never changed." }
        return text
    }

    static func facts(_ report: RolloutReport) -> [(String, String)] {
        let view = report.rollout
        let end = view.endedAt ?? report.writtenAt
        var facts = [
            ("Rollout", view.id.rawValue), ("Plan", "\(view.name), \(view.planDigest)"),
            ("By", view.by), ("Began", time(view.createdAt)),
            ("Ended", view.endedAt.map(time) ?? "not yet"),
            ("Took", end.since(view.createdAt).text),
        ]
        if let restores = restores(view) { facts.append(("Time to restore", restores)) }
        if let rehearsal = view.rehearsal { facts.append(("Rehearsal", rehearsal.text)) }
        if let late = view.late { facts.append(("Late", late.text)) }
        for (title, text) in approvals(view) { facts.append((title, text)) }
        let budgets = view.budgets.map {
            "\($0.scope) \($0.spent.count) of \($0.limit)"
                + ($0.spent.isEmpty ? "" : " (\(names($0.spent)))")
        }
        facts.append(("Lost, of allowed", budgets.joined(separator: "; ")))
        facts.append(("Report written", time(report.writtenAt) + "; all times are UTC"))
        return facts
    }

    /// Who approved each gate that persons open, and until when that counts.
    private static func approvals(_ view: RolloutView) -> [(String, String)] {
        let gates = view.waves.flatMap { wave in
            wave.gates.map { ("Approvals of \($0.name), wave \(wave.name)", $0) }
        }
        let crossing = view.pointOfNoReturn.map { [("Approvals of the \($0.name)", $0)] } ?? []
        return (crossing + gates).compactMap { title, gate in
            let words = (gate.approvals ?? []).map { approval in
                "\(approval.by) at \(time(approval.at))"
                    + (approval.reason.map { ": \($0)" } ?? "")
                    + (approval.void.map { " (void: \($0))" } ?? "")
                    + (gate.expiry(of: approval).map { " (expires \(time($0)))" } ?? "")
            }
            return words.isEmpty ? nil : (title, words.joined(separator: "; "))
        }
    }

    private static func restores(_ view: RolloutView) -> String? {
        let taken = view.hosts.compactMap { host in host.restoreTook.map { (host.id, $0) } }
        guard let slowest = taken.max(by: { $0.1 < $1.1 }) else { return nil }
        let hosts = taken.count == 1 ? "1 host" : "\(taken.count) hosts"
        return "\(hosts), the slowest \(slowest.0) in \(slowest.1.text)"
    }

    /// `a1, a2, and 7 more`.
    static func names(_ hosts: [HostID]) -> String {
        hosts.prefix(12).map(\.rawValue).joined(separator: ", ")
            + (hosts.count > 12 ? ", and \(hosts.count - 12) more" : "")
    }

    static func label(_ rawValue: String) -> String { rawValue.replacing("_", with: " ") }

    /// What went wrong, host by host: the failure, then steps and checks that did not end well.
    static func failures(_ report: RolloutReport) -> [Failure] {
        report.hosts.compactMap { host in
            guard let failure = host.view.failure else { return nil }
            let steps = host.steps.filter { $0.status != nil && $0.status != .done }.map { step in
                (
                    "Step \(step.name), try \(step.attempt): "
                        + label(step.status?.rawValue ?? "") + ". " + step.message,
                    excerpt(step.output, characters: 4000)
                )
            }
            let checks = host.checks.filter { $0.status != .pass }.map { check in
                (
                    "Check \(check.name) (\(check.level.rawValue)): \(check.status.rawValue)"
                        + (check.remedy.map { "; try: \($0)" } ?? ""),
                    excerpt(check.measured, characters: 4000)
                )
            }
            let evidence = host.evidence.sorted { $0.key < $1.key }.map {
                ("Evidence, kept before the undo: \($0.key)", excerpt($0.value, characters: 4000))
            }
            return Failure(
                title: "\(host.view.id) \(label(host.view.state.rawValue)): \(failure)",
                parts: steps + checks + evidence)
        }
    }

    /// One host's failure.
    struct Failure {
        var title: String
        /// A sentence, and what was printed.
        var parts: [(String, String)]
    }

    /// When each wave began and ended, from what the history says of it.
    static func timeline(_ report: RolloutReport) -> Table {
        let rows = report.rollout.waves.map { wave -> [String] in
            let lines = report.history.filter { $0.wave == wave.name && $0.host == nil }
            let began = lines.first?.at
            let isOver = wave.state == .passed || wave.state == .failed
            let ended = isOver ? lines.last?.at : nil
            let took = began.flatMap { began in ended.map { $0.since(began).text } }
            return [
                wave.name,
                state(of: wave, in: report.rollout) + (wave.growth.map { " (\($0.text))" } ?? ""),
                time(began), time(ended),
                took ?? "–",
                names(wave.hosts), gates(wave),
            ]
        }
        return (
            "Waves", [["Wave", "State", "Began", "Ended", "Took", "Hosts", "Gates"]] + rows
        )
    }

    /// A wave that will not go on is not said to.
    private static func state(of wave: RolloutView.WaveView, in view: RolloutView) -> String {
        switch (view.state, wave.state) {
        case (.rollingBack, .waiting), (.rolledBack, .waiting), (.rollbackFailed, .waiting),
            (.aborted, .waiting):
            "not begun"
        case (.rollingBack, .migrating), (.rolledBack, .migrating), (.rollbackFailed, .migrating),
            (.aborted, .migrating), (.rollingBack, .soaking), (.rolledBack, .soaking),
            (.rollbackFailed, .soaking), (.aborted, .soaking), (.rollingBack, .gating),
            (.rolledBack, .gating), (.rollbackFailed, .gating), (.aborted, .gating):
            "stopped"
        default: wave.state.rawValue
        }
    }
}
