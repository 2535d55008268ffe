import FleetWire
import RolloutCore

/// The report as Markdown.
struct MarkdownReport {
    let text: String

    init(_ report: RolloutReport) {
        var text = "# Rollout \(Self.cell(report.rollout.id.rawValue))\n\n"
        for (name, value) in ReportText.facts(report) {
            text += "- \(name): \(Self.cell(value))\n"
        }
        for table in ReportText.overview(report) { text += Self.table(table, level: "##") }
        for host in report.hosts {
            let tables = ReportText.details(host)
            guard !tables.isEmpty else { continue }
            text += "\n## Host \(Self.cell(host.view.id.rawValue))\n"
            for table in tables { text += Self.table(table, level: "###") }
        }
        text += Self.table(ReportText.history(report), level: "##")
        self.text = text
    }

    private static func table(_ table: ReportText.Table, level: String) -> String {
        guard let head = table.rows.first, table.rows.count > 1 else { return "" }
        var text = "\n\(level) \(table.title)\n\n"
        text += "| \(head.joined(separator: " | ")) |\n"
        text += "|\(String(repeating: " --- |", count: head.count))\n"
        for row in table.rows.dropFirst() {
            text += "| \(row.map(cell).joined(separator: " | ")) |\n"
        }
        return text
    }

    /// Text from hosts and operators must neither break a table nor become markup.
    private static func cell(_ text: String) -> String {
        var result = ""
        // A lone carriage return is a line's end here; a terminal would write over the line.
        for character in PlainText.visible(text.replacing("\r\n", with: "\n")) {
            switch character {
            case "|", "\\", "`", "*", "_", "[", "]", "#": result += "\\\(character)"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\n": result += "<br>"
            default: result.append(character)
            }
        }
        return result
    }
}
