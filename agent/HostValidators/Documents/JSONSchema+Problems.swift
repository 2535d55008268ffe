extension JSONSchema {
    /// What of a document is not as the schema has it; no value is repeated.
    func problems(of value: DocumentValue) -> [DocumentError] {
        var look = Look()
        look.hold(value, against: root, "")
        return look.problems
    }

    private struct Look {
        /// More help nobody.
        private static let problemsMax = 50

        private(set) var problems: [DocumentError] = []
        private var patterns: [String: Regex<AnyRegexOutput>] = [:]

        mutating func hold(_ value: DocumentValue, against node: Node, _ place: String) {
            switch node {
            case .always(true): break
            case .always(false): note(value, place, "it is not allowed")
            case .keywords(let keywords): hold(value, against: keywords, place)
            }
        }

        private mutating func hold(
            _ value: DocumentValue, against keywords: Keywords, _ place: String
        ) {
            if let types = keywords.types, !types.contains(where: value.isOf) {
                // What else is asked presumes the type.
                return note(value, place, "\(value.typeName), \(list(types)) wanted")
            }
            if let allowed = keywords.allowed, !allowed.contains(where: value.isEqual) {
                note(value, place, "it is none of the \(allowed.count) values that are allowed")
            }
            switch value.kind {
            case .null, .flag: break
            case .whole, .fraction: holdNumber(value, keywords, place)
            case .text(let text):
                holdCount(text.unicodeScalars.count, "Length", "characters", value, keywords, place)
                holdPattern(text, value, keywords, place)
            case .list(let items):
                holdCount(items.count, "Items", "items", value, keywords, place)
                guard let node = keywords.items else { break }
                for (index, item) in items.enumerated() {
                    hold(item, against: node, "\(place)/\(index)")
                }
            case .map(let members):
                holdCount(members.count, "Properties", "members", value, keywords, place)
                holdMembers(members, value, keywords, place)
            }
        }

        private mutating func holdMembers(
            _ members: [DocumentValue.Member], _ value: DocumentValue, _ keywords: Keywords,
            _ place: String
        ) {
            let names = Set(members.map(\.name))
            for name in keywords.required where !names.contains(name) {
                note(value, place, "`\(name)` is missing")
            }
            for member in members {
                let inner = "\(place)/\(member.name)"
                if let node = keywords.properties[member.name] {
                    hold(member.value, against: node, inner)
                } else if case .always(false)? = keywords.additional {
                    note(member.value, inner, "there must be no such key")
                } else if let node = keywords.additional {
                    hold(member.value, against: node, inner)
                }
            }
        }

        private mutating func holdNumber(
            _ value: DocumentValue, _ keywords: Keywords, _ place: String
        ) {
            guard let number = value.number else { return }
            for name in JSONSchema.numberBounds {
                guard let bound = keywords.bounds[name] else { continue }
                // Not a number is within no bounds.
                let isWithin =
                    switch name {
                    case "minimum": number >= bound
                    case "maximum": number <= bound
                    case "exclusiveMinimum": number > bound
                    default: number < bound
                    }
                if !isWithin { note(value, place, "it is not within \(name), \(short(bound))") }
            }
        }

        private mutating func holdCount(
            _ count: Int, _ what: String, _ unit: String, _ value: DocumentValue,
            _ keywords: Keywords, _ place: String
        ) {
            if let least = keywords.bounds["min\(what)"], Double(count) < least {
                note(value, place, "\(count) \(unit), at least \(short(least)) wanted")
            }
            if let most = keywords.bounds["max\(what)"], Double(count) > most {
                note(value, place, "\(count) \(unit), at most \(short(most)) wanted")
            }
        }

        private mutating func holdPattern(
            _ text: String, _ value: DocumentValue, _ keywords: Keywords, _ place: String
        ) {
            guard let pattern = keywords.pattern else { return }
            guard let regex = patterns[pattern] ?? (try? JSONSchema.regex(pattern)) else {
                return note(value, place, "its pattern cannot be used")
            }
            patterns[pattern] = regex
            if (try? regex.firstMatch(in: text)) == nil {
                note(value, place, "it does not match the pattern \(pattern)")
            }
        }

        private mutating func note(_ value: DocumentValue, _ place: String, _ what: String) {
            guard problems.count < Self.problemsMax else { return }
            let shown = place.isEmpty ? "the document" : place
            problems.append(DocumentError(line: value.line, reason: "\(shown): \(what)"))
        }

        private func list(_ types: [String]) -> String { types.joined(separator: " or ") }

        private func short(_ number: Double) -> String {
            Int(exactly: number).map { "\($0)" } ?? "\(number)"
        }
    }
}

extension DocumentValue {
    /// The name of its type in JSON Schema.
    fileprivate var typeName: String {
        switch kind {
        case .null: "null"
        case .flag: "boolean"
        case .whole: "integer"
        case .fraction: "number"
        case .text: "string"
        case .list: "array"
        case .map: "object"
        }
    }

    /// True if it is of the type `name`; a number without a fraction is an integer too.
    fileprivate func isOf(_ name: String) -> Bool {
        switch (name, kind) {
        case ("number", .whole), ("number", .fraction): true
        case ("integer", .fraction(let number)): number == number.rounded() && number.isFinite
        default: name == typeName
        }
    }
}
