import Yams

/// One YAML file, parsed into nodes with marks. Duplicate keys, which the parser refuses one at a
/// time, are collected: the earlier key is renamed in a copy of the text and read again.
struct YAMLSource {
    /// A key that stands twice in one mapping.
    struct Duplicate {
        var name: String
        /// Where the earlier one stands.
        var line: Int
    }

    /// Why there are no nodes.
    struct Failure: Error {
        var line: Int
        var column: Int
        var message: String
    }

    /// The root; nil if the file holds nothing.
    let root: Node?
    /// Renamed keys, by the key that stands in the nodes.
    let duplicates: [String: Duplicate]

    init(_ text: String) throws(Failure) {
        if let line = AliasKeys.firstLine(in: text) {
            throw Failure(
                line: line, column: 1, message: "keys are plain text; no aliases and no `?` here")
        }
        var scalars = Array(text.unicodeScalars)
        var found: [String: Duplicate] = [:]
        while true {
            do {
                let parser = try Parser(
                    yaml: String(String.UnicodeScalarView(scalars)), resolver: .basic,
                    encoding: .utf8)
                root = try parser.singleRoot()
                duplicates = found
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let mark = context.mark
                guard found.count < PlanLimits.duplicatesMax,
                    let (key, duplicate) = Self.rename(
                        names, at: mark, in: &scalars, number: found.count)
                else {
                    throw Failure(
                        line: mark.line, column: mark.column,
                        message: "key \(names.map { "`\($0)`" }.joined(separator: ", ")) is given "
                            + "twice in one mapping")
                }
                found[key] = duplicate
            } catch {
                throw Self.failure(error, in: text)
            }
        }
    }

    /// Puts private-use characters in the place of the key at `mark`, so that columns stay.
    private static func rename(
        _ names: [String], at mark: Mark, in scalars: inout [Unicode.Scalar], number: Int
    ) -> (String, Duplicate)? {
        var line = 1
        var start = 0
        while line < mark.line, start < scalars.count {
            if scalars[start] == "\n" { line += 1 }
            start += 1
        }
        start += mark.column - 1
        guard start >= 0, start < scalars.count else { return nil }
        if scalars[start] == "\"" || scalars[start] == "'" { start += 1 }
        for name in names.sorted(by: { $0.unicodeScalars.count > $1.unicodeScalars.count }) {
            let length = name.unicodeScalars.count
            guard length > 0, start + length <= scalars.count,
                scalars[start..<(start + length)].elementsEqual(name.unicodeScalars),
                let first = Unicode.Scalar(UInt32(0xE000 + number))
            else { continue }
            var key = [Unicode.Scalar](repeating: "\u{F8FF}", count: length)
            key[0] = first
            scalars.replaceSubrange(start..<(start + length), with: key)
            return (
                String(String.UnicodeScalarView(key)), Duplicate(name: name, line: mark.line)
            )
        }
        return nil
    }

    private static func failure(_ error: any Error, in text: String) -> Failure {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            if problem == "but found another document" {
                return Failure(
                    line: mark.line, column: mark.column,
                    message: "a second document begins here; a plan is one YAML document")
            }
            let more = context.map { " (\($0.text) at \($0.mark.line):\($0.mark.column))" } ?? ""
            return Failure(
                line: mark.line, column: mark.column,
                message: "this is not well-formed YAML: \(problem)\(more)")
        case YamlError.reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            let line = before.reduce(1) { $0 + ($1.isNewline ? 1 : 0) }
            let column = before.reversed().prefix { !$0.isNewline }.count + 1
            return Failure(
                line: line, column: column, message: "this is not well-formed YAML: \(problem)")
        default:
            return Failure(line: 1, column: 1, message: "this is not well-formed YAML: \(error)")
        }
    }
}
