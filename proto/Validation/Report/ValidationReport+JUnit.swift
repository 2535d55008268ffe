import FleetWire

extension ValidationReport {
    /// JUnit XML as continuous integration reads it: a suite a host, a case a check. `fail` is a
    /// failure, `unknown` an error, `not_applicable` skipped; a host without results is an error.
    package var junit: String {
        var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
        lines.append("<testsuites name=\"\(title.xml)\">")
        for host in hosts { lines += Self.suite(host) }
        if hosts.isEmpty {
            lines += Self.suite(Host(host: "none", results: [], problem: "no host was looked at"))
        }
        return (lines + ["</testsuites>"]).joined(separator: "\n") + "\n"
    }

    private static func suite(_ host: Host) -> [String] {
        func count(_ status: CheckStatus) -> Int { host.results.count { $0.status == status } }
        let problem = host.problem ?? (host.results.isEmpty ? "nothing was looked at" : nil)
        let extra = problem == nil ? 0 : 1
        let took = host.results.reduce(Milliseconds.zero) { $0 + $1.took }
        var lines = [
            "  <testsuite name=\"\(host.host.xml)\" tests=\"\(host.results.count + extra)\" "
                + "failures=\"\(count(.fail))\" errors=\"\(count(.unknown) + extra)\" "
                + "skipped=\"\(count(.notApplicable))\" time=\"\(seconds(took))\">"
        ]
        if let problem {
            lines += [
                "    <testcase classname=\"host\" name=\"answer\" time=\"0\">",
                "      <error message=\"\(problem.xml)\"/>", "    </testcase>",
            ]
        }
        for result in host.results { lines += testCase(result) }
        return lines + ["  </testsuite>"]
    }

    private static func testCase(_ result: CheckResult) -> [String] {
        let open =
            "    <testcase classname=\"\(result.kind.xml)\" name=\"\(result.name.xml)\" "
            + "time=\"\(seconds(result.took))\">"
        let message = "message=\"\(result.measured.xml)\""
        let detail = details(result).xml
        let body =
            switch result.status {
            case .fail: "<failure \(message) type=\"\(result.level.rawValue)\">\(detail)</failure>"
            case .unknown: "<error \(message) type=\"unknown\">\(detail)</error>"
            case .notApplicable: "<skipped \(message)/>"
            case .warn: "<system-out>warning: \(result.measured.xml) \(detail)</system-out>"
            case .pass: "<system-out>\(result.measured.xml)</system-out>"
            }
        return [open, "      " + body, "    </testcase>"]
    }

    private static func details(_ result: CheckResult) -> String {
        ([result.threshold, result.remedy].compactMap { $0 } + (result.evidence ?? []))
            .joined(separator: "\n")
    }

    private static func seconds(_ span: Milliseconds) -> String {
        let count = max(0, span.count)
        let rest = "\(count % 1000)"
        return "\(count / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

extension String {
    /// The text for XML and HTML: markup escaped, characters that XML 1.0 has not replaced.
    package var xml: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            case "\n", "\t": text.unicodeScalars.append(scalar)
            case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}"..."\u{FFFF}":
                text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
