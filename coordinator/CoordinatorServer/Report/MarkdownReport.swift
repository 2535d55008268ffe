import FleetWire
import RolloutCore

/// The report as Markdown.
struct MarkdownReport {
    let text: String

    init(_ report: RolloutReport) {
        var text = "# \(Self.cell(ReportText.title(report)))\n\n"
        text += "**\(Self.cell(ReportText.outcome(report)))**\n\n"
        for (name, value) in ReportText.facts(report) {
            text += "- \(name): \(Self.cell(value))\n"
        }
        let failures = ReportText.failures(report)
        if !failures.isEmpty { text += "\n## What went wrong\n" }
        for failure in failures {
            text += "\n### \(Self.cell(failure.title))\n"
            for (sentence, output) in failure.parts {
                text += "\n\(Self.cell(sentence))\n" + Self.block(output)
            }
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

    /// Text as it was printed; the fence is longer than any within it.
    private static func block(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        var longest = 2
        var run = 0
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: longest + 1)
        return "\n\(fence)text\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)\n"
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
