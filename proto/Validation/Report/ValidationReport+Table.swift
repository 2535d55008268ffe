package import FleetWire

extension ValidationReport {
    /// For terminals: one line a check, below it what to do; the verdict last. Control characters
    /// of what hosts say are replaced. `paint` may colour the word of a status.
    package func table(
        paint: (_ status: CheckStatus, _ text: String) -> String = { $1 }
    ) -> [String] {
        var lines: [String] = []
        for host in hosts {
            if hosts.count > 1 { lines.append(host.host.oneLine) }
            if let problem = host.problem { lines.append("  no answer: \(problem.oneLine)") }
            let width = host.results.map(\.name.count).max() ?? 0
            for result in host.results {
                lines += Self.lines(result, width: min(width, 40), paint)
            }
        }
        return lines + ["", "\(title): \(verdict.rawValue) (\(summary))"]
    }

    private static func lines(
        _ result: CheckResult, width: Int, _ paint: (CheckStatus, String) -> String
    ) -> [String] {
        let word = result.status.word
        let pad = String(repeating: " ", count: max(0, 15 - word.count))
        let name = result.name.oneLine
        let gap = String(repeating: " ", count: max(0, width - name.count))
        let level = result.level == .critical ? "" : " (\(result.level.rawValue))"
        let indent = String(repeating: " ", count: 15)
        var lines = [
            paint(result.status, word) + pad + name + gap + "  " + result.measured.oneLine + level
        ]
        if let threshold = result.threshold { lines.append(indent + threshold.oneLine) }
        for line in result.evidence ?? [] { lines.append(indent + "| " + line.oneLine) }
        if let remedy = result.remedy { lines.append(indent + "to do: " + remedy.oneLine) }
        let set = (result.parameters ?? []).filter { $0.origin != .plan }
        if result.status != .pass, !set.isEmpty {
            let list = set.map { "\($0.name) \($0.value) (\($0.origin.rawValue))" }
            lines.append(indent + "with " + list.joined(separator: ", ").oneLine)
        }
        return lines
    }
}

extension CheckStatus {
    /// The status as people read it.
    package var word: String {
        self == .notApplicable ? "not applicable" : rawValue
    }
}

extension String {
    /// The text in one line; characters that would steer a terminal are replaced.
    package var oneLine: String {
        var shown = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                shown.append(scalar == "\n" || scalar == "\t" ? " " : "\u{FFFD}")
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }
}
