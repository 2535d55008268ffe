import FoundationEssentials

/// The JSON Schema (draft 2020-12) of a plan's file, for editors; made from the same table that the
/// loader reads by.
package enum PlanSchema {
    private indirect enum Value: Encodable {
        case text(String)
        case number(Int)
        case fraction(Double)
        case flag(Bool)
        case list([Value])
        case object([String: Value])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .fraction(let value): try container.encode(value)
            case .flag(let value): try container.encode(value)
            case .list(let value): try container.encode(value)
            case .object(let value): try container.encode(value)
            }
        }
    }

    /// The schema's text, with a newline at its end.
    package static let json: String = {
        var root = members(of: PlanShape.plan)
        root["$schema"] = .text("https://json-schema.org/draft/2020-12/schema")
        root["title"] = .text("Belay plan")
        root["$defs"] = .object([
            "step": .object(members(of: PlanShape.step)),
            "check": .object(members(of: PlanShape.check)),
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Value.object(root)) else {
            preconditionFailure("a schema holds only values that have a form in JSON")
        }
        return String(decoding: data, as: UTF8.self) + "\n"
    }()

    private static func members(of object: ObjectShape) -> [String: Value] {
        var properties: [String: Value] = [:]
        for field in object.fields {
            var schema = members(of: field.shape)
            schema["description"] = .text(field.note)
            properties[field.key] = .object(schema)
        }
        var members: [String: Value] = [
            "type": .text("object"), "properties": .object(properties),
            "additionalProperties": .flag(false),
        ]
        let required = object.fields.filter(\.isRequired).map { Value.text($0.key) }
        if !required.isEmpty { members["required"] = .list(required) }
        let choices = object.choices.map(rule)
        if !choices.isEmpty { members["allOf"] = .list(choices) }
        return members
    }

    /// Exactly one of the keys, or at most one.
    private static func rule(_ choice: ObjectShape.Choice) -> Value {
        func has(_ key: String) -> Value { .object(["required": .list([.text(key)])]) }
        var cases = choice.keys.map(has)
        if !choice.isRequired {
            cases.append(.object(["not": .object(["anyOf": .list(choice.keys.map(has))])]))
        }
        return .object(["oneOf": .list(cases)])
    }

    private static func members(of shape: Shape) -> [String: Value] {
        let scalar = Value.list([.text("string"), .text("number"), .text("boolean")])
        switch shape {
        case .text: return ["type": .list([.text("string"), .text("number")])]
        case .integer(let range):
            var members: [String: Value] = [
                "type": .text("integer"), "minimum": .number(range.lowerBound),
            ]
            if range.upperBound < .max { members["maximum"] = .number(range.upperBound) }
            return members
        case .boolean: return ["type": .text("boolean")]
        case .span:
            return [
                "type": .text("string"),
                "pattern": .text("^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"),
                "minLength": .number(2),
            ]
        case .count(let atLeast): return count(atLeast: atLeast)
        case .size:
            return [
                "type": .list([.text("string"), .text("integer")]), "minimum": .number(0),
                "pattern": .text("^[0-9]+ *(B|[kK]B|[MGT]B|[KMGT]iB)?$"),
            ]
        case .digest:
            return ["type": .text("string"), "pattern": .text("^sha256:[0-9a-f]{64}$")]
        case .number: return ["type": .text("number")]
        case .numberIn(let range):
            var members: [String: Value] = [
                "type": .text("number"), "minimum": .fraction(range.lowerBound),
            ]
            if range.upperBound < .greatestFiniteMagnitude {
                members["maximum"] = .fraction(range.upperBound)
            }
            return members
        case .share:
            return [
                "type": .list([.text("string"), .text("number")]), "minimum": .number(0),
                "maximum": .number(100), "pattern": .text("^[0-9]+([.][0-9]+)?%?$"),
            ]
        case .percentage: return pattern("^([1-9][0-9]?|100)%$")
        case .days:
            let day = "(" + WeekDays.names.joined(separator: "|") + ")"
            return pattern("^\(day)(-\(day))?$")
        case .timeOfDay: return pattern("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")
        case .wallTime:
            return pattern("^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]$")
        case .word(let words): return ["enum": .list(words.map { .text($0) })]
        case .list(let element):
            return ["type": .text("array"), "items": .object(members(of: element))]
        case .names(let element, _):
            var values = members(of: element)
            if case .text = element { values = ["type": scalar] }
            return ["type": .text("object"), "additionalProperties": .object(values)]
        case .object(let object):
            switch object.what {
            case PlanShape.step.what: return ["$ref": .text("#/$defs/step")]
            case PlanShape.check.what: return ["$ref": .text("#/$defs/check")]
            default: return members(of: object)
            }
        case .json: return ["type": .list([.text("object"), .text("string")])]
        }
    }

    private static func pattern(_ text: String) -> [String: Value] {
        ["type": .text("string"), "pattern": .text(text)]
    }

    private static func count(atLeast: Int) -> [String: Value] {
        [
            "anyOf": .list([
                .object([
                    "type": .text("integer"), "minimum": .number(atLeast),
                    "maximum": .number(Count.numberMax),
                ]),
                .object([
                    "type": .text("string"),
                    "pattern": .text("^([0-9]+|([0-9]|[1-9][0-9]|100)%)$"),
                ]),
            ])
        ]
    }
}
