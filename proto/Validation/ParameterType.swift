package import FleetWire

/// What the value of a parameter may be. In plans and configuration files it is written as people
/// write it (`5%`, `500MB`, `30s`); as a `ParameterValue` it is plain JSON.
package indirect enum ParameterType: Sendable, Hashable {
    /// Text; may hold templates.
    case text
    /// An absolute path on the host; may hold templates after the first `/`.
    case path
    /// One of these words.
    case word([String])
    /// A size, `500MB`; a whole number of bytes.
    case bytes
    /// From 0 to 100, `5` or `5%` or `0.5%`.
    case percent
    /// A span, `30s`; whole milliseconds, at least this many.
    case duration(atLeast: Int64)
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case boolean
    /// `sha256:` and 64 hexadecimal digits.
    case digest
    case list(ParameterType)
    /// A mapping whose keys the operator chooses; `of` says from what to what, for messages.
    case map(ParameterType, of: String)
    /// A mapping with these keys; `what` is `a request`, for messages.
    case object([ValidatorParameter], what: String)
    /// Any JSON object, written as a mapping or as text; kept as its text.
    case json

    /// A port of TCP or UDP.
    package static let port = ParameterType.integer(1...65535)

    /// The type's name in the reference.
    package var name: String {
        switch self {
        case .text: "text"
        case .path: "path"
        case .word(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .bytes: "size"
        case .percent: "percent"
        case .duration: "duration"
        case .integer(let range):
            range.upperBound == .max
                ? "whole number, at least \(range.lowerBound)"
                : "whole number, \(range.lowerBound) to \(range.upperBound)"
        case .number(let range):
            range.upperBound.isFinite && range.upperBound < .greatestFiniteMagnitude
                ? "number, \(shown(range.lowerBound)) to \(shown(range.upperBound))"
                : "number, at least \(shown(range.lowerBound))"
        case .boolean: "true or false"
        case .digest: "SHA-256"
        case .list(let element): "list of \(element.name)"
        case .map(_, let what): "mapping of \(what)"
        case .object(_, let what): "\(what), a mapping"
        case .json: "JSON object"
        }
    }

    /// `value` as people write it; `nil` gives the parts of lists and mappings that are no scalar.
    package func shown(_ value: ParameterValue) -> String {
        switch (self, value) {
        case (.bytes, .whole): value.bytes?.text ?? "?"
        case (.duration, .whole): value.span?.text ?? "?"
        case (.percent, _): (value.number.map(shown) ?? "?") + "%"
        case (.list(let element), .list(let items)):
            "[" + items.map(element.shown).joined(separator: ", ") + "]"
        case (.map(let element, _), .map(let members)):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { "\($0.key): \(element.shown($0.value))" }.joined(separator: ", ") + "}"
        case (.object(let fields, _), .map(let members)):
            "{"
                + fields.compactMap { field in
                    members[field.name].map { "\(field.name): \(field.type.shown($0))" }
                }.joined(separator: ", ") + "}"
        case (_, .flag(let flag)): flag ? "true" : "false"
        case (_, .whole(let number)): "\(number)"
        case (_, .fraction(let number)): shown(number)
        case (_, .text(let text)): text
        case (_, .list(let items)): "\(items.count) items"
        case (_, .map(let members)): "\(members.count) members"
        }
    }

    private func shown(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }

    /// True if `value` can be one: what came over the wire is held against this before it is used.
    package func takes(_ value: ParameterValue) -> Bool {
        switch self {
        case .text, .path, .json: value.text != nil
        case .word(let words): value.text.map(words.contains) ?? false
        case .bytes: value.bytes != nil
        case .percent: value.number.map { (0...100).contains($0) } ?? false
        case .duration(let atLeast): value.whole.map { Int64($0) >= atLeast } ?? false
        case .integer(let range): value.whole.map(range.contains) ?? false
        case .number(let range): value.number.map(range.contains) ?? false
        case .boolean: value.flag != nil
        case .digest: value.text.map { Digest($0) != nil } ?? false
        case .list(let element): value.list?.allSatisfy(element.takes) ?? false
        case .map(let element, _): value.map?.values.allSatisfy(element.takes) ?? false
        case .object(let fields, _):
            value.map.map { members in
                members.allSatisfy { name, value in
                    fields.first { $0.name == name }?.type.takes(value) ?? false
                } && fields.allSatisfy { !$0.isRequired || members[$0.name] != nil }
            } ?? false
        }
    }
}
