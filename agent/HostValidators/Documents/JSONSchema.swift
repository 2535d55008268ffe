/// The part of JSON Schema (draft 2020-12) that describes configurations; docs/adr/0010 says why
/// not all of it. A keyword that is not of this part is never ignored: the schema is refused.
struct JSONSchema: Sendable {
    /// Why it cannot be used.
    struct Refusal: Error, Sendable {
        /// All that is wrong with it, each with its place, `#/properties/port: …`.
        var reasons: [String]
    }

    indirect enum Node: Sendable {
        /// `true` or `false`: all values, or none.
        case always(Bool)
        case keywords(Keywords)
    }

    /// What the keywords of one schema ask; those that it has not ask nothing.
    struct Keywords: Sendable {
        var types: [String]?
        var allowed: [DocumentValue]?
        var properties: [String: Node] = [:]
        var additional: Node?
        var required: [String] = []
        var items: Node?
        /// Numbers by keyword: `minimum` and its like, and lengths.
        var bounds: [String: Double] = [:]
        var pattern: String?

        /// True if all values fit.
        var asksNothing: Bool {
            types == nil && allowed == nil && properties.isEmpty && additional == nil
                && required.isEmpty && items == nil && bounds.isEmpty && pattern == nil
        }
    }

    static let types = ["null", "boolean", "integer", "number", "string", "array", "object"]
    static let numberBounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
    static let countBounds = [
        "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
    ]
    /// These say something to people and ask nothing of values.
    static let annotations: Set<String> = [
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated",
        "readOnly", "writeOnly",
    ]

    let root: Node

    /// Throws all keywords that are not known, and all whose values cannot be meant.
    init(_ document: DocumentValue) throws(Refusal) {
        var reader = Reader()
        root = reader.node(document, "#")
        switch root {
        case .always(true): reader.reasons.append("#: it asks nothing")
        case .keywords(let keywords) where keywords.asksNothing && reader.reasons.isEmpty:
            reader.reasons.append("#: it asks nothing")
        case .always, .keywords: break
        }
        guard reader.reasons.isEmpty else { throw Refusal(reasons: reader.reasons) }
    }

    private struct Reader {
        var reasons: [String] = []

        mutating func node(_ value: DocumentValue, _ place: String) -> Node {
            if case .flag(let flag) = value.kind { return .always(flag) }
            guard let members = value.members else {
                reasons.append("\(place): a schema is an object, true or false")
                return .always(false)
            }
            var keywords = Keywords()
            for member in members { read(member, "\(place)/\(member.name)", &keywords) }
            return .keywords(keywords)
        }

        private mutating func read(
            _ member: DocumentValue.Member, _ place: String, _ keywords: inout Keywords
        ) {
            let value = member.value
            switch member.name {
            case "type":
                let names = value.text.map { [$0] } ?? texts(value)
                keywords.types = names
                if names.map({ $0.isEmpty || !Set($0).isSubset(of: JSONSchema.types) }) ?? true {
                    reasons.append("\(place): there is no such type")
                }
            case "enum":
                guard case .list(let items) = value.kind else { return expect("a list", place) }
                keywords.allowed = items
            case "const": keywords.allowed = [value]
            case "properties":
                guard let members = value.members else { return expect("an object", place) }
                for member in members {
                    keywords.properties[member.name] = node(member.value, "\(place)/\(member.name)")
                }
            case "additionalProperties": keywords.additional = node(value, place)
            case "items": keywords.items = node(value, place)
            case "required":
                guard let names = texts(value) else { return expect("a list of texts", place) }
                keywords.required = names
            case "pattern":
                guard let text = value.text, (try? JSONSchema.regex(text)) != nil else {
                    return expect("a regular expression that is known here", place)
                }
                keywords.pattern = text
            case let name where JSONSchema.numberBounds.contains(name):
                guard let number = value.number else { return expect("a number", place) }
                keywords.bounds[name] = number
            case let name where JSONSchema.countBounds.contains(name):
                guard let number = value.number, number >= 0, number == number.rounded() else {
                    return expect("a whole number", place)
                }
                keywords.bounds[name] = number
            case let name where JSONSchema.annotations.contains(name): break
            default: reasons.append("\(place): the keyword is not known here")
            }
        }

        private mutating func expect(_ what: String, _ place: String) {
            reasons.append("\(place): expected \(what)")
        }

        private func texts(_ value: DocumentValue) -> [String]? {
            guard case .list(let items) = value.kind else { return nil }
            let texts = items.compactMap(\.text)
            return texts.count == items.count ? texts : nil
        }
    }

    private struct Unlike: Error {}

    /// A pattern as ECMA-262 reads it. Throws what Swift's regular expressions do not know, and
    /// what they read in another way.
    static func regex(_ pattern: String) throws -> Regex<AnyRegexOutput> {
        guard readsAlike(pattern) else { throw Unlike() }
        return try Regex(pattern).matchingSemantics(.unicodeScalar).asciiOnlyDigits()
            .asciiOnlyWordCharacters()
    }

    /// False if the pattern may mean something else in Swift: groups with `(?` that are no plain or
    /// named groups or looks around, and classes with another inside or operations of sets.
    private static func readsAlike(_ pattern: String) -> Bool {
        let bytes = Array(pattern.utf8)
        var inClass = false
        var index = 0
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["):
                guard !inClass else { return false }
                inClass = true
            case UInt8(ascii: "]"): inClass = false
            case UInt8(ascii: "&"), UInt8(ascii: "-"), UInt8(ascii: "~"):
                if inClass, next == bytes[index] { return false }
            case UInt8(ascii: "("):
                let kind = index + 2 < bytes.count ? bytes[index + 2] : 0
                if !inClass, next == UInt8(ascii: "?"), !":=!<".utf8.contains(kind) {
                    return false
                }
            default: break
            }
            index += 1
        }
        return true
    }
}
