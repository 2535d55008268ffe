import FleetWire
import RolloutCore

/// The report as one HTML page that needs nothing else and runs nothing.
struct HTMLReport {
    let text: String

    init(_ report: RolloutReport) {
        let title = "Rollout \(report.rollout.id)"
        var body = "<h1>\(Self.escaped(title))</h1>\n<dl>\n"
        for (name, value) in ReportText.facts(report) {
            body += "<dt>\(Self.escaped(name))</dt><dd>\(Self.escaped(value))</dd>\n"
        }
        body += "</dl>\n"
        for table in ReportText.overview(report) { body += Self.table(table, level: 2) }
        for host in report.hosts {
            let tables = ReportText.details(host)
            guard !tables.isEmpty else { continue }
            body += "<h2>Host \(Self.escaped(host.view.id.rawValue))</h2>\n"
            for table in tables { body += Self.table(table, level: 3) }
        }
        body += Self.table(ReportText.history(report), level: 2)
        text = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width">
            <title>\(Self.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            \(body)</body>
            </html>

            """
    }

    private static let style = """
        body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#1a1a1a;background:#fff}
        table{border-collapse:collapse;width:100%;margin-bottom:1.5rem}
        th,td{border:1px solid #c8c8c8;padding:.25rem .5rem;text-align:left;vertical-align:top}
        td{white-space:pre-wrap;overflow-wrap:anywhere}
        th{background:#f0f0f0}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}
        dt{font-weight:600}
        dd{margin:0;overflow-wrap:anywhere}
        """

    private static func table(_ table: ReportText.Table, level: Int) -> String {
        guard let head = table.rows.first, table.rows.count > 1 else { return "" }
        var text = "<h\(level)>\(escaped(table.title))</h\(level)>\n<table>\n<thead><tr>"
        text += head.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
        text += "</tr></thead>\n<tbody>\n"
        for row in table.rows.dropFirst() {
            text += "<tr>\(row.map { "<td>\(escaped($0))</td>" }.joined())</tr>\n"
        }
        return text + "</tbody>\n</table>\n"
    }

    static func escaped(_ text: String) -> String {
        PlainText.visible(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }
}
