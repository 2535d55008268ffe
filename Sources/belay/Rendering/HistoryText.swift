import FleetWire
import OperatorAPI
import RolloutCore

/// Lines of a rollout's history and of the journal.
enum HistoryText {
    /// `23:05:01Z node-1  sentence`.
    static func line(_ entry: HistoryEntry, style: Style, fullDate: Bool = false) -> String {
        let time = fullDate ? QuantityText.date(entry.at) : QuantityText.clock(entry.at)
        let wave = entry.wave.map { "wave \($0)" } ?? ""
        // A sentence that names the wave needs it no second time.
        let about = entry.host?.rawValue ?? (entry.text.contains(wave) ? "" : wave)
        let role: Style.Role =
            switch entry.level {
            case .info: .plain
            case .warning: .caution
            case .error: .bad
            }
        return style.paint(time, .faint) + "  " + (about.isEmpty ? "" : about + "  ")
            + style.paint(entry.text, role)
    }

    static func list(_ entries: [HistoryEntry], isWide: Bool, style: Style) -> [String] {
        var titles = ["TIME", "ACTOR", "WAVE", "HOST", "STAGE", "WHAT"]
        if !isWide { titles.removeAll { $0 == "STAGE" || $0 == "WAVE" } }
        var table = TextTable(titles)
        table.rows = entries.map { entry in
            let role: Style.Role =
                switch entry.level {
                case .info: .plain
                case .warning: .caution
                case .error: .bad
                }
            var row = [
                isWide ? QuantityText.date(entry.at) : QuantityText.clock(entry.at), entry.actor,
            ]
            if isWide { row += [entry.wave ?? ""] }
            row += [entry.host?.rawValue ?? ""]
            if isWide { row += [entry.stage?.rawValue ?? ""] }
            return row + [style.paint(entry.text, role)]
        }
        return table.lines(style: style, empty: "no history")
    }

    static func event(_ line: EventLine, isWide: Bool, style: Style) -> String {
        let detail = isWide ? "  " + line.event : ""
        return DisplayWidth.pad("\(line.sequence)", to: 7, right: true) + "  "
            + style.paint(QuantityText.date(line.at), .faint) + "  "
            + DisplayWidth.pad(line.actor, to: 18) + "  " + DisplayWidth.pad(line.stream, to: 24)
            + "  " + line.kind + detail
    }
}
