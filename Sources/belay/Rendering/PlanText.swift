import FleetWire
import OperatorAPI
import RolloutPlan

/// What a plan would do, for people: waves, limits, changes by host, notes, digest.
struct PlanText {
    let preview: PlanPreview
    /// The plan's file, for the command that applies it.
    let file: String
    let style: Style
    /// The plan's windows, as they are read here.
    var calendar: PlanCalendar?

    func lines() -> [String] {
        header() + policy.checklist() + policy.pointOfNoReturn() + waves() + policy.gates()
            + policy.compatibility()
            + changes() + trouble() + notes() + footer()
    }

    /// The plan in a few lines, for whoever has approved it already.
    func summary() -> [String] {
        let waves = plan.waves.map { "\($0.name) \($0.hosts.count)" }.joined(separator: ", ")
        var rows = [("waves", waves), ("limits", motion)]
        let steps = changedSteps()
        if !steps.isEmpty { rows.append(("changes", steps)) }
        rows.append(("digest", preview.digest.description))
        if let reading = calendar?.reading { rows.append(("windows", reading.why)) }
        return [title] + rows.map(row) + policy.uncovered()
            + policy.checklist().filter { !$0.isEmpty }
            + policy.pointOfNoReturn().filter { !$0.isEmpty } + trouble()
            + notes().filter { !$0.isEmpty }
    }

    /// `settings on 6 hosts, schema on 5 hosts`: what would do something, and where.
    private func changedSteps() -> String {
        var order: [String] = []
        var counts: [String: Int] = [:]
        for change in preview.inspections.flatMap({ $0.inspection?.changes ?? [] })
        where change.action != "none" {
            let name = change.step.split(separator: "/").last.map(String.init) ?? change.step
            if counts[name] == nil { order.append(name) }
            counts[name, default: 0] += 1
        }
        return order.map { name in
            let count = counts[name] ?? 0
            return count == plan.hosts.count
                ? name : "\(name) (\(count) of \(QuantityText.count(plan.hosts.count, "host")))"
        }.joined(separator: ", ")
    }

    private var plan: ResolvedPlan { preview.plan }
    private var policy: PlanPolicyText {
        PlanPolicyText(plan: plan, calendar: calendar, style: style)
    }

    private var title: String {
        style.paint(plan.name, .strong) + " on " + QuantityText.count(plan.hosts.count, "host")
            + " in " + QuantityText.count(plan.waves.count, "wave")
    }

    private var motion: String {
        let limits = plan.limits
        var motion =
            "\(limits.parallelMax) at once, at most \(limits.unavailableMax) unavailable"
        if let domain = limits.unavailablePerDomainMax {
            motion += ", \(domain) in each failure domain"
        }
        return motion
    }

    private func row(_ name: String, _ text: String) -> String {
        "  " + style.paint(DisplayWidth.pad(name, to: 13), .faint) + text
    }

    private func header() -> [String] {
        var budget = "\(plan.budget.fleet) in the fleet"
        if let wave = plan.budget.wave { budget += ", \(wave) in each wave" }
        if let domain = plan.budget.domain { budget += ", \(domain) in each failure domain" }
        let then =
            switch plan.rollback.onExhausted {
            case .rollback: "one more rolls everything back"
            case .pause: "one more pauses the rollout"
            case .abort: "one more aborts the rollout"
            }
        var rows = [
            ("limits", motion), ("may be lost", "\(budget); \(then)"),
            (
                "confirmed",
                "within \(QuantityText.span(plan.work.confirmWithin)), "
                    + "else the host takes itself back"
            ),
        ]
        if plan.needsApproval { rows.append(("approval", "needed before the first host")) }
        for artifact in plan.artifacts {
            rows.append(
                (
                    "artifact",
                    "\(artifact.name)  \(artifact.size.text)  \(artifact.digest.short)"
                ))
        }
        rows.append(
            (
                "captured", plan.work.components.map(\.name.rawValue).joined(separator: ", ")
            ))
        return [title] + (rows + policy.rows()).map(row) + [""]
    }

    private func waves() -> [String] {
        var table = TextTable(
            ["WAVE", "COUNT", "AT ONCE", "SOAK", "GATES", "HOSTS"],
            right: ["COUNT", "AT ONCE", "SOAK"])
        table.rows = plan.waves.map { wave in
            let gates = wave.gates.map(PlanPolicyText.short)
            return [
                wave.name, "\(wave.hosts.count)", policy.growth(of: wave),
                QuantityText.span(wave.soak),
                gates.isEmpty ? "none" : gates.joined(separator: ", "), names(wave.hosts),
            ]
        }
        return table.lines(style: style) + policy.uncovered() + [""]
    }

    /// Hosts with the same changes stand together, in order of the waves.
    private func changes() -> [String] {
        var groups: [(hosts: [HostID], inspection: Inspection)] = []
        var place: [[PlannedChange]: Int] = [:]
        let inspections = Dictionary(
            preview.inspections.map { ($0.host, $0.inspection) }
        ) { first, _ in first }
        for host in plan.hosts {
            guard let inspection = inspections[host.id] ?? nil else { continue }
            if let index = place[inspection.changes] {
                groups[index].hosts.append(host.id)
            } else {
                place[inspection.changes] = groups.count
                groups.append(([host.id], inspection))
            }
        }
        return groups.flatMap { group in
            let title = QuantityText.count(group.hosts.count, "host") + ": "
            return [style.paint(title, .strong) + names(group.hosts)]
                + changes(group.inspection.changes) + [""]
        }
    }

    private func changes(_ changes: [PlannedChange]) -> [String] {
        if changes.isEmpty { return ["  " + style.paint("nothing would change", .faint)] }
        let steps = changes.map { DisplayWidth.of($0.step) }.max() ?? 0
        let actions = changes.map { word(for: $0.action).count }.max() ?? 0
        return changes.flatMap { change in
            let action = DisplayWidth.pad(word(for: change.action), to: actions)
            let head =
                "  " + style.paint(DisplayWidth.pad(change.step, to: steps), .faint) + "  "
                + style.paint(action, role(of: change.action)) + "  "
            let lines = change.detail.split(separator: "\n", omittingEmptySubsequences: true)
            if lines.isEmpty { return [head + change.subject] }
            // A program's line begins with the program.
            let isSaid =
                change.detail == change.subject || change.detail.hasPrefix(change.subject + " ")
            if lines.count == 1 {
                return [head + (isSaid ? "" : change.subject + ": ") + change.detail]
            }
            return [head + (isSaid ? "" : change.subject)]
                + DiffText.lines(change.detail, style: style, indent: "      ")
        }
    }

    /// `none` reads as if there were no step.
    private func word(for action: String) -> String { action == "none" ? "no change" : action }

    private func role(of action: String) -> Style.Role {
        switch action {
        case "create": .good
        case "none": .faint
        case "modify", "switch", "migrate": .caution
        default: .active
        }
    }

    private func trouble() -> [String] {
        var lines: [String] = []
        for host in preview.inspections {
            let failures = [host.failure].compactMap { $0 } + (host.inspection?.problems ?? [])
            lines += failures.map {
                "  " + style.paint(style.symbol("✗", "x"), .bad) + " \(host.host): \($0)"
            }
        }
        return lines.isEmpty ? [] : [style.paint("Would not go", .bad)] + lines + [""]
    }

    private func notes() -> [String] {
        preview.notes.isEmpty
            ? []
            : [style.paint("Notes", .caution)]
                + preview.notes.map { "  " + style.symbol("·", "-") + " " + $0 } + [""]
    }

    private func footer() -> [String] {
        [
            style.paint("digest  ", .faint) + preview.digest.description,
            style.paint("apply   ", .faint)
                + "belay apply \(ShellWord.quote(file)) --digest \(preview.digest)",
        ]
    }

    private func names(_ hosts: [HostID]) -> String {
        let shown = hosts.prefix(8).map(\.rawValue).joined(separator: ", ")
        return hosts.count > 8 ? shown + ", and \(hosts.count - 8) more" : shown
    }
}

/// A unified diff, or a sentence, with its lines in colour.
enum DiffText {
    static func lines(_ text: String, style: Style, indent: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { line in
            let role: Style.Role =
                if line.hasPrefix("+++") || line.hasPrefix("---") {
                    .faint
                } else if line.hasPrefix("@@") {
                    .active
                } else if line.hasPrefix("+") {
                    .good
                } else if line.hasPrefix("-") {
                    .bad
                } else {
                    .plain
                }
            return indent + style.paint(String(line), role)
        }
    }
}

/// A word for a POSIX shell.
enum ShellWord {
    static func quote(_ word: String) -> String {
        let safe = word.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || "_-./=:@%+,".utf8.contains($0)
        }
        guard !safe || word.isEmpty else { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
