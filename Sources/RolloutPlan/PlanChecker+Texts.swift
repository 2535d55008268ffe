import FleetWire

extension PlanChecker {
    /// A path on a host: absolute, without `.` and `..`; may hold templates after the first `/`.
    mutating func checkPath(_ text: String, _ path: PlanPath) {
        checkTemplate(text, path)
        guard text.hasPrefix("/") else {
            let isRoot = text.hasPrefix("{{")
            return error(
                path,
                isRoot
                    ? "a path begins with `/`; the agent puts its root before it by itself"
                    : "expected an absolute path, found `\(text)`")
        }
        let parts = text.split(separator: "/")
        if parts.contains("..") || parts.contains(".") {
            error(path, "`.` and `..` cannot stand in a path of a host")
        } else if text.utf8.count > 4095 || text.contains("\0") || text.contains("\n") {
            error(path, "a path has at most 4095 bytes and one line")
        }
    }

    /// Placeholders must be closed and have a known root; labels and facts are known to hosts only.
    mutating func checkTemplate(_ text: String, _ path: PlanPath) {
        var rest = Substring(text)
        while let open = rest.firstRange(of: "{{") {
            let offset = text.unicodeScalars.distance(
                from: text.startIndex, to: open.lowerBound)
            let after = rest[open.upperBound...]
            // Four braces stand for two.
            if after.hasPrefix("{{") {
                rest = after.dropFirst(2)
                continue
            }
            guard let close = after.firstRange(of: "}}") else {
                return error(
                    path,
                    "a `{{` has no `}}`; write `{{{{` for braces as such"
                        + Self.line(of: open.lowerBound, in: text), offset: offset)
            }
            checkPlaceholder(
                after[..<close.lowerBound].filter { $0 != " " && $0 != "\t" }, path, offset,
                Self.line(of: open.lowerBound, in: text))
            rest = after[close.upperBound...]
        }
    }

    private mutating func checkPlaceholder(
        _ name: String, _ path: PlanPath, _ offset: Int, _ line: String
    ) {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let root = String(parts.first ?? "")
        let key = parts.count == 2 ? String(parts[1]) : ""
        switch root {
        case "host" where key == "root" || key == "id": return
        case "labels" where !key.isEmpty, "facts" where !key.isEmpty: return
        case "vars":
            if plan.variables[key] != nil { return }
            let hint = NearestName.hint(key, among: plan.variables.keys)
            let known =
                plan.variables.isEmpty
                ? "; the plan has no variables"
                : "; variables: " + plan.variables.keys.sorted().joined(separator: ", ")
            error(
                path, "the plan has no variable `\(key)`\(hint.isEmpty ? known : hint)\(line)",
                offset: offset)
        default:
            let known =
                ["host.root", "host.id"] + plan.variables.keys.map { "vars.\($0)" }
                + ["labels.\(key)", "facts.\(key)"]
            let hint = NearestName.hint(name, among: known)
            error(
                path,
                "`{{ \(name) }}` is not known" + hint
                    + (hint.isEmpty
                        ? "; expected `host.root`, `host.id`, `labels.…`, `facts.…` or `vars.…`"
                        : "") + line, offset: offset)
        }
    }

    /// ` (line 3 of the text)` for a place after the first line of a template.
    private static func line(of place: String.Index, in text: String) -> String {
        text.contains(where: \.isNewline)
            ? " (line \(text[..<place].reduce(1) { $0 + ($1.isNewline ? 1 : 0) }) of the text)" : ""
    }
}
