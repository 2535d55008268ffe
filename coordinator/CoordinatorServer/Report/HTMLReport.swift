import FleetWire
import RolloutCore

/// The report as one HTML page that needs nothing else and runs nothing.
struct HTMLReport {
    let text: String

    init(_ report: RolloutReport) {
        let title = ReportText.title(report)
        var body = "<h1>\(Self.escaped(title))</h1>\n"
        body += "<p class=\"outcome \(Self.mood(report.rollout.state))\">"
        body += "\(Self.escaped(ReportText.outcome(report)))</p>\n<dl>\n"
        for (name, value) in ReportText.facts(report) {
            body += "<dt>\(Self.escaped(name))</dt><dd>\(Self.escaped(value))</dd>\n"
        }
        body += "</dl>\n"
        body += Self.failures(report)
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

    private static func failures(_ report: RolloutReport) -> String {
        let failures = ReportText.failures(report)
        guard !failures.isEmpty else { return "" }
        var text = "<h2>What went wrong</h2>\n"
        for failure in failures {
            text += "<section class=\"failure\">\n<h3>\(escaped(failure.title))</h3>\n"
            for (sentence, output) in failure.parts {
                text += "<p>\(escaped(sentence))</p>\n"
                if !output.isEmpty { text += "<pre>\(escaped(output))</pre>\n" }
            }
            text += "</section>\n"
        }
        return text
    }

    private static func mood(_ state: RolloutState) -> String {
        switch state {
        case .succeeded: "good"
        case .planned, .awaitingApproval, .running: "open"
        case .paused, .rollingBack, .rolledBack: "caution"
        case .rollbackFailed, .aborted: "bad"
        }
    }

    private static let style = """
        body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1.5rem;\
        color:#1c2127;background:#fff}
        h1{font-size:1.6rem;margin-bottom:.5rem}
        h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid #d5d9de}
        h3{font-size:1rem;margin:1rem 0 .25rem}
        table{border-collapse:collapse;width:100%;margin-bottom:1rem;font-size:13px}
        th,td{border-bottom:1px solid #e1e4e8;padding:.3rem .6rem .3rem 0;text-align:left;\
        vertical-align:top}
        td{white-space:pre-wrap;overflow-wrap:break-word}
        th{color:#57606a;font-weight:600;white-space:nowrap}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.5rem}
        dt{color:#57606a}
        dd{margin:0;overflow-wrap:anywhere}
        pre{background:#f6f8fa;padding:.6rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere}
        .outcome{font-size:1.05rem;padding:.7rem 1rem;border-left:5px solid #8c959f;background:#f6f8fa}
        .good{border-color:#2da44e}.open{border-color:#0969da}
        .caution{border-color:#bf8700}.bad{border-color:#cf222e}
        .failure{border-left:3px solid #cf222e;padding-left:1rem;margin-bottom:1rem}
        .failure p{margin:.5rem 0 .25rem}
        @media print{body{margin:0;max-width:none}section,tr{break-inside:avoid}}
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
