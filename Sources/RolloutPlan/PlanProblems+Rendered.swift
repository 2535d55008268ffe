extension PlanProblems {
    /// For terminals and logs: `file:line:column: error: message` for each problem, and below it
    /// the line of `source` with a caret under the place. Without `source` only the first lines.
    package func rendered(source: String? = nil) -> String {
        let lines = source?.split(omittingEmptySubsequences: false) { $0.isNewline } ?? []
        return problems.map { problem in
            var text = Self.place(problem) + "\(problem.severity.rawValue): \(problem.message)\n"
            if lines.indices.contains(problem.line - 1), problem.column > 0 {
                text += Self.excerpt(String(lines[problem.line - 1]), column: problem.column)
            }
            return text
        }.joined()
    }

    private static func place(_ problem: PlanProblem) -> String {
        let file = problem.file
        guard problem.line > 0 else { return file.isEmpty ? "" : "\(file): " }
        return (file.isEmpty ? "" : "\(file):") + "\(problem.line):\(problem.column): "
    }

    /// The line and a caret; a long line is cut around the place. Tabs stay, so that the caret
    /// stands below its place whatever the terminal makes of them.
    private static func excerpt(_ line: String, column: Int) -> String {
        let scalars = Array(line.unicodeScalars)
        let start = max(0, column - 1 - 80)
        let end = min(scalars.count, start + 120)
        guard start <= end else { return "" }
        var shown = String.UnicodeScalarView()
        for scalar in scalars[start..<end] {
            // Control characters of a plan must not steer the terminal.
            let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
            shown.append(isControl ? "\u{FFFD}" : scalar)
        }
        var caret = String.UnicodeScalarView()
        let before = min(column - 1, scalars.count)
        for scalar in scalars[start..<max(start, before)] {
            caret.append(scalar == "\t" ? "\t" : " ")
        }
        return "    \(String(shown))\n    \(String(caret))^\n"
    }
}
