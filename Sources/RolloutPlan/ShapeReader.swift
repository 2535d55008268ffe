import FleetWire
import Yams

/// Holds nodes against shapes and collects all that does not fit.
struct ShapeReader {
    /// What does not fit, and where.
    struct Misfit {
        var path: PlanPath
        var line: Int
        var column: Int
        var message: String
    }

    let duplicates: [String: YAMLSource.Duplicate]
    private(set) var misfits: [Misfit] = []
    private var values = 0

    init(duplicates: [String: YAMLSource.Duplicate]) { self.duplicates = duplicates }

    mutating func read(
        _ node: Node, as shape: Shape, at path: PlanPath = PlanPath(), depth: Int = 0
    ) -> PlacedValue {
        values += 1
        guard values <= PlanLimits.valuesMax, depth <= PlanLimits.depthMax else {
            if values == PlanLimits.valuesMax + 1 || depth > PlanLimits.depthMax {
                reportBound(node, path, isDepth: depth > PlanLimits.depthMax)
            }
            return placed(node, .malformed)
        }
        switch (shape, node) {
        case (.list(let element), .sequence(let sequence)):
            var items: [PlacedValue] = []
            for (index, item) in sequence.enumerated() {
                items.append(read(item, as: element, at: path[index], depth: depth + 1))
            }
            return placed(node, .list(items))
        case (.names(let element, _), .mapping(let mapping)):
            var entries: [PlacedValue.Entry] = []
            for (name, key, value) in keys(of: mapping, at: path) {
                let value = read(value, as: element, at: path[name], depth: depth + 1)
                entries.append(entry(name, key, value))
            }
            return placed(node, .mapping(entries))
        case (.object(let object), .mapping(let mapping)):
            return placed(node, .mapping(readObject(mapping, node, object, path, depth)))
        case (.json, .mapping):
            if let json = JSONText(node) { return placed(node, .text(json.text)) }
        case (_, .scalar(let scalar)):
            guard let content = Self.content(scalar, as: shape) else { break }
            var value = placed(node, content)
            switch scalar.style {
            case .plain: value.textOffset = 0
            case .singleQuoted, .doubleQuoted: value.textOffset = 1
            default: break
            }
            return value
        default: break
        }
        report(node, path, "expected \(shape.expected), found \(Self.shown(node))")
        return placed(node, .malformed)
    }

    private mutating func readObject(
        _ mapping: Node.Mapping, _ node: Node, _ object: ObjectShape, _ path: PlanPath, _ depth: Int
    ) -> [PlacedValue.Entry] {
        var entries: [PlacedValue.Entry] = []
        var hasUnknown = false
        let known = object.fields.map(\.key)
        for (name, key, value) in keys(of: mapping, at: path) {
            guard let field = object.fields.first(where: { $0.key == name }) else {
                hasUnknown = true
                let near = NearestName.hint(name, among: known)
                let all = "; expected " + object.expectedKeys
                report(
                    key, path[name],
                    "\(object.what) has no key `\(name)`\(near.isEmpty ? all : near)")
                continue
            }
            let value = read(value, as: field.shape, at: path[name], depth: depth + 1)
            entries.append(entry(name, key, value))
        }
        for field in object.fields where field.isRequired {
            guard !entries.contains(where: { $0.key == field.key }) else { continue }
            report(node, path[field.key], "\(object.what) needs `\(field.key)`")
        }
        for choice in object.choices {
            let given = entries.filter { choice.keys.contains($0.key) }
            let all = choice.allowed
            if given.isEmpty, choice.isRequired, !hasUnknown {
                report(node, path, "\(object.what) needs \(choice.what): one of \(all)")
            }
            for extra in given.dropFirst() {
                misfits.append(
                    Misfit(
                        path: path[extra.key], line: extra.line, column: extra.column,
                        message: "\(object.what) has `\(given[0].key)` already; only one of "
                            + "\(all) may be given\(choice.advice)"))
            }
        }
        return entries
    }

    /// The keys that are text, each once, duplicates and merge keys reported.
    private mutating func keys(
        of mapping: Node.Mapping, at path: PlanPath
    ) -> [(name: String, key: Node, value: Node)] {
        var found: [(String, Node, Node)] = []
        var renamed: [String: Int] = [:]
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report(key, path, "expected a key, found \(Self.shown(key))")
                continue
            }
            if scalar.string == "<<", scalar.style == .plain {
                report(key, path, "merge keys (`<<`) are not read; write the keys out")
                continue
            }
            if let duplicate = duplicates[scalar.string] {
                renamed[duplicate.name] = renamed[duplicate.name] ?? duplicate.line
                continue
            }
            if let line = renamed[scalar.string] {
                report(
                    key, path[scalar.string],
                    "key `\(scalar.string)` is given twice; it stands in line \(line) already")
            }
            found.append((scalar.string, key, value))
        }
        return found
    }

    private func placed(_ node: Node, _ content: PlacedValue.Content) -> PlacedValue {
        PlacedValue(content: content, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
    }

    private func entry(_ name: String, _ key: Node, _ value: PlacedValue) -> PlacedValue.Entry {
        PlacedValue.Entry(
            key: name, line: key.mark?.line ?? 0, column: key.mark?.column ?? 0, value: value)
    }

    private mutating func report(_ node: Node, _ path: PlanPath, _ message: String) {
        misfits.append(
            Misfit(
                path: path, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0,
                message: message))
    }

    private mutating func reportBound(_ node: Node, _ path: PlanPath, isDepth: Bool) {
        report(
            node, path,
            isDepth
                ? "this nests deeper than \(PlanLimits.depthMax) levels"
                : "the plan holds more than \(PlanLimits.valuesMax) values once its aliases are "
                    + "followed")
    }
}

extension ShapeReader {
    /// The content of a scalar as `shape`, or nil if it is none.
    private static func content(_ scalar: Node.Scalar, as shape: Shape) -> PlacedValue.Content? {
        let text = scalar.string
        if scalar.isNull { return nil }
        switch shape {
        case .text: return .text(text)
        case .integer(let range):
            guard let number = Int(text), range.contains(number) else { return nil }
            return .integer(number)
        case .boolean:
            return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
        case .span(let atLeast):
            guard let span = Milliseconds(friendly: text), span.count >= atLeast else { return nil }
            return .span(span)
        case .count(let atLeast):
            guard let count = Count(friendly: text) else { return nil }
            if case .number(let number) = count, number < atLeast { return nil }
            return .count(count)
        case .size: return ByteCount(friendly: text).map { .size($0) }
        case .number: return number(text).map { .number($0) }
        case .numberIn(let range):
            return number(text).flatMap { range.contains($0) ? .number($0) : nil }
        case .share:
            let bare = text.hasSuffix("%") ? String(text.dropLast()) : text
            return number(bare).flatMap { (0...100).contains($0) ? .number($0) : nil }
        case .percentage:
            guard case .percent(let percent) = Count(friendly: text), percent > 0 else {
                return nil
            }
            return .integer(percent)
        case .days: return WeekDays(text).map { .days($0.days) }
        case .timeOfDay: return WeekDays.minute(text).map { .integer($0) }
        case .wallTime: return WallTime(text).map { .text($0.text) }
        case .digest:
            return text.hasPrefix("sha256:") ? Digest(text).map { .digest($0) } : nil
        case .word(let words): return words.contains(text) ? .text(text) : nil
        case .json: return JSONText(text).map { .text($0.text) }
        case .list, .names, .object: return nil
        }
    }

    /// Digits with sign, point and exponent; Swift would take `nan` and `0x1p3` too.
    private static func number(_ text: String) -> Double? {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0)
        }
        guard isPlain, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private static func shown(_ node: Node) -> String {
        switch node {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .alias: return "an alias"
        case .scalar(let scalar):
            if scalar.isNull { return "nothing" }
            let line = scalar.string.prefix { !$0.isNewline }.prefix(60)
            return line.count < scalar.string.count ? "`\(line)…`" : "`\(line)`"
        }
    }
}

extension Node.Scalar {
    /// True for a value that is not there: empty, `~` or `null`, not in quotes.
    var isNull: Bool { style == .plain && ["", "~", "null", "Null", "NULL"].contains(string) }
}
