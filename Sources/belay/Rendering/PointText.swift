import FleetWire
import OperatorAPI

/// Tables and lines about rollback points.
enum PointText {
    static func list(_ answers: [PointAnswer], isWide: Bool, style: Style) -> [String] {
        var titles = ["HOST", "POINT", "NAME", "TAKEN", "ROLLOUT", "SIZE", "STATE", "REASON"]
        if isWide { titles += ["ENTRIES", "COMPONENTS", "DIGEST"] }
        var table = TextTable(titles, right: ["SIZE", "ENTRIES"])
        for answer in answers {
            for point in answer.reply?.points ?? [] {
                let bytes = point.components.reduce(UInt64(0)) { $0 &+ $1.bytes.count }
                var row = [
                    answer.host.rawValue, point.id.rawValue, point.name ?? "",
                    QuantityText.date(point.at), point.rollout?.rawValue ?? "",
                    ByteCount(bytes).text, state(point, style), point.reason,
                ]
                if isWide {
                    row += [
                        "\(point.components.reduce(0) { $0 &+ $1.entries })",
                        point.components.map(\.name.rawValue).joined(separator: ","),
                        point.digest.short,
                    ]
                }
                table.rows.append(row)
            }
        }
        return table.lines(style: style, empty: "no rollback points")
    }

    private static func state(_ point: PointSummary, _ style: Style) -> String {
        if point.isDamaged == true { return style.paint("damaged", .bad) }
        return point.inUse.map { style.paint($0, .active) } ?? ""
    }

    static func show(_ answers: [PointAnswer], style: Style) -> [String] {
        var lines: [String] = []
        for answer in answers where answer.reply != nil {
            if !lines.isEmpty { lines.append("") }
            lines += list([answer], isWide: true, style: style) + [""]
            var table = TextTable(
                ["COMPONENT", "DRIVER", "ENTRIES", "SIZE"], right: ["ENTRIES", "SIZE"])
            for component in answer.reply?.points.first?.components ?? [] {
                table.rows.append([
                    component.name.rawValue, component.driver, "\(component.entries)",
                    component.bytes.text,
                ])
            }
            lines += table.lines(style: style) + notes(answer, style) + [""]
            lines += (answer.reply?.entries ?? []).map(PlainText.line)
            lines += left(answer, style)
        }
        return lines
    }

    private static func notes(_ answer: PointAnswer, _ style: Style) -> [String] {
        (answer.reply?.points ?? []).flatMap(\.components).flatMap { component in
            (component.notes ?? []).map {
                style.paint("note: ", .caution) + "\(component.name): \(PlainText.line($0))"
            }
        }
    }

    static func verify(_ answers: [PointAnswer], isDeep: Bool, style: Style) -> [String] {
        answers.flatMap { answer -> [String] in
            guard let reply = answer.reply else { return [] }
            let point = reply.points.first.map(\.id.rawValue) ?? ""
            guard let damaged = reply.damaged else {
                return ["\(answer.host)  " + style.paint("not known", .caution)]
            }
            guard !damaged.isEmpty else {
                let what = isDeep ? "whole, every object read" : "whole"
                return ["\(answer.host)  " + style.paint(what, .good) + "  \(point)"]
            }
            return damaged.map {
                "\(answer.host)  " + style.paint("damaged", .bad) + "  \(point)  "
                    + PlainText.line($0)
            } + left(answer, style)
        }
    }

    // MARK: - Differences

    /// Every difference as a line, or the counts of each host.
    static func changes(
        _ answers: [PointAnswer], lists: Bool, past: String, style: Style
    ) -> [String] {
        lists ? everyChange(answers, past, style) : counts(answers, past, style)
    }

    private static func everyChange(
        _ answers: [PointAnswer], _ past: String, _ style: Style
    ) -> [String] {
        var table = TextTable(["HOST", "COMPONENT", "CHANGE", "PATH", "DETAIL"])
        for answer in answers {
            for change in answer.reply?.changes ?? [] {
                table.rows.append([
                    answer.host.rawValue, change.component.rawValue,
                    style.paint(change.change.rawValue, role(change.change)), change.path,
                    change.detail,
                ])
            }
        }
        return table.lines(style: style, empty: "nothing \(past)")
            + answers.flatMap { left($0, style) }
    }

    private static func role(_ kind: HostChange.Kind) -> Style.Role {
        switch kind {
        case .added: .good
        case .removed: .bad
        case .content, .kind: .caution
        case .metadata: .plain
        }
    }

    private static func counts(
        _ answers: [PointAnswer], _ past: String, _ style: Style
    ) -> [String] {
        let kinds = HostChange.Kind.allCases
        let titles = kinds.map { $0.rawValue.uppercased() }
        var table = TextTable(["HOST", "POINT", "NAME"] + titles, right: Set(titles))
        for answer in answers {
            guard let reply = answer.reply else { continue }
            let changes = reply.changes ?? []
            let isCut = (reply.more ?? 0) > 0
            let point = reply.points.first
            table.rows.append(
                [
                    answer.host.rawValue,
                    point?.id.rawValue ?? reply.restore?.point.rawValue ?? "", point?.name ?? "",
                ]
                    + kinds.map { kind in
                        let count = changes.count { $0.change == kind }
                        return isCut ? "\(count)+" : "\(count)"
                    })
        }
        return table.lines(style: style, empty: "nothing \(past)")
    }

    private static func left(_ answer: PointAnswer, _ style: Style) -> [String] {
        guard let more = answer.reply?.more, more > 0 else { return [] }
        return [style.paint("\(answer.host) has \(more) more lines", .faint)]
    }

    // MARK: - Orders

    static func restored(_ answers: [PointAnswer], style: Style) -> [String] {
        var table = TextTable(
            ["HOST", "POINT", "WRITTEN", "REMOVED", "TOOK", "STATE BEFORE"],
            right: ["WRITTEN", "REMOVED", "TOOK"])
        for answer in answers {
            guard let done = answer.reply?.restore else { continue }
            table.rows.append([
                answer.host.rawValue, done.point.rawValue, "\(done.changed)", "\(done.removed)",
                QuantityText.span(done.took), done.before?.rawValue ?? "",
            ])
        }
        return table.lines(style: style, empty: "nothing was restored")
    }

    static func pruned(_ answers: [PointAnswer], isWide: Bool, style: Style) -> [String] {
        var titles = ["HOST", "REMOVED", "KEPT", "FREED"]
        if isWide { titles.append("POINTS") }
        var table = TextTable(titles, right: ["REMOVED", "KEPT", "FREED"])
        for answer in answers {
            guard let done = answer.reply?.prune else { continue }
            var row = [
                answer.host.rawValue, "\(done.removed.count)", "\(done.kept)",
                done.freed.text,
            ]
            if isWide { row.append(done.removed.map(\.rawValue).joined(separator: ",")) }
            table.rows.append(row)
        }
        return table.lines(style: style, empty: "nothing was removed")
    }

    static func repaired(_ answers: [PointAnswer], style: Style) -> [String] {
        answers.flatMap { answer -> [String] in
            guard let reply = answer.reply else { return [] }
            let count = reply.scrub?.repaired ?? 0
            let damaged = reply.damaged ?? []
            return [
                "\(answer.host)  \(QuantityText.count(count, "object")) repaired, "
                    + (damaged.isEmpty
                        ? style.paint("whole", .good)
                        : style.paint("\(damaged.count) still damaged", .bad))
            ] + damaged.map { "\(answer.host)  " + PlainText.line($0) }
        }
    }

    /// One host's outcome as it comes.
    static func line(_ answer: PointAnswer, style: Style) -> String {
        let host = answer.host.rawValue
        if let failure = answer.failure {
            let isSkipped = failure.code == "not_started"
            return "\(host)  "
                + style.paint(isSkipped ? "not begun" : "failed", isSkipped ? .caution : .bad)
                + "  \(PlainText.line(failure.message))"
        }
        let reply = answer.reply
        let point = reply?.points.first?.id.rawValue ?? ""
        let what: String =
            if let done = reply?.restore {
                "restored  \(done.point), \(done.changed) written, \(done.removed) removed, "
                    + QuantityText.span(done.took)
            } else if let done = reply?.prune {
                "pruned  \(QuantityText.count(done.removed.count, "point")) removed, "
                    + "\(done.freed.text) freed"
            } else if let done = reply?.scrub {
                "repaired  \(QuantityText.count(done.repaired, "object"))"
            } else {
                "made  \(point)"
            }
        return "\(host)  " + what
    }

    /// Why hosts have no reply: each reason once, with the hosts that it is true for.
    static func failures(_ answers: [PointAnswer], style: Style) -> [String] {
        var order: [String] = []
        var hosts: [String: [String]] = [:]
        var remedies: [String: String] = [:]
        for answer in answers {
            guard let failure = answer.failure else { continue }
            let text = PlainText.line(failure.message)
            if hosts[text] == nil { order.append(text) }
            hosts[text, default: []].append(answer.host.rawValue)
            remedies[text] = remedies[text] ?? failure.remedy.map(PlainText.line)
        }
        return order.flatMap { text -> [String] in
            let names = hosts[text] ?? []
            let shown = names.prefix(5).joined(separator: ", ")
            let rest = names.count > 5 ? " and \(names.count - 5) more" : ""
            return [style.paint("error:", .bad) + " \(shown)\(rest): \(text)"]
                + (remedies[text].map { [style.paint("  try:", .faint) + " \($0)"] } ?? [])
        }
    }
}
