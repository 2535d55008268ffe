import FleetWire

extension ValidationReport {
    /// One page that needs nothing else: no script, no other file.
    package var html: String {
        let head = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>\(title.xml): \(verdict.rawValue)</title>
            <style>
            body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 70em; }
            table { border-collapse: collapse; width: 100%; }
            th, td { border-bottom: 1px solid #bbb; padding: 4px 8px; text-align: left;
              vertical-align: top; overflow-wrap: anywhere; }
            .pass { color: #06602c; } .warn { color: #7a4b00; } .fail { color: #9b1010; }
            .unknown { color: #5a2a82; } .not_applicable { color: #555; }
            ul { margin: 0; padding-left: 1.2em; }
            </style>
            </head>
            <body>
            <h1>\(title.xml): \(verdict.rawValue)</h1>
            <p>\(summary.xml). Begun at \(at.utc).</p>
            """
        var lines = [head]
        for host in hosts {
            lines.append("<h2>\(host.host.xml)</h2>")
            if let problem = host.problem { lines.append("<p>No answer: \(problem.xml)</p>") }
            guard !host.results.isEmpty else { continue }
            lines.append(
                "<table>\n<tr><th>result</th><th>check</th><th>level</th><th>measured</th>"
                    + "<th>to do</th><th>took</th></tr>")
            lines += host.results.map(Self.row)
            lines.append("</table>")
        }
        return (lines + ["</body>", "</html>"]).joined(separator: "\n") + "\n"
    }

    private static func row(_ result: CheckResult) -> String {
        var measured = result.measured.xml
        if let threshold = result.threshold { measured += "<br>" + threshold.xml }
        let items =
            (result.evidence ?? [])
            + (result.parameters ?? []).map { "\($0.name) \($0.value) (\($0.origin.rawValue))" }
        if !items.isEmpty {
            measured += "<ul>" + items.map { "<li>\($0.xml)</li>" }.joined() + "</ul>"
        }
        return "<tr><td class=\"\(result.status.rawValue)\">\(result.status.word)</td>"
            + "<td>\(result.name.xml)<br>\(result.kind.xml)</td><td>\(result.level.rawValue)</td>"
            + "<td>\(measured)</td><td>\((result.remedy ?? "").xml)</td>"
            + "<td>\(result.took.text)</td></tr>"
    }
}
