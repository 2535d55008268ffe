import FleetWire
import FoundationEssentials
import Yams

/// A JSON object as text with sorted keys.
struct JSONText {
    private indirect enum Value: Codable {
        case text(String)
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        case null
        case list([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .boolean(value)
            } else if let value = try? container.decode(Int.self) {
                self = .integer(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .text(value)
            } else if let value = try? container.decode([Value].self) {
                self = .list(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .boolean(let value): try container.encode(value)
            case .null: try container.encodeNil()
            case .list(let value): try container.encode(value)
            case .object(let value): try container.encode(value)
            }
        }
    }

    let text: String

    /// Reads JSON text; nil unless it is one object.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (try? WireJSON.check(bytes, limits: .v1)) != nil,
            let value = try? JSONDecoder().decode([String: Value].self, from: Data(bytes))
        else { return nil }
        self.init(.object(value))
    }

    /// Takes a YAML mapping; nil if something in it has no form in JSON.
    init?(_ node: Node) {
        var budget = 10_000
        guard let value = Self.value(of: node, depth: 0, budget: &budget) else { return nil }
        self.init(value)
    }

    private init?(_ value: Value) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return nil }
        text = String(decoding: data, as: UTF8.self)
    }

    private static func value(of node: Node, depth: Int, budget: inout Int) -> Value? {
        budget -= 1
        guard budget > 0, depth <= PlanLimits.depthMax else { return nil }
        switch node {
        case .alias: return nil
        case .scalar(let scalar): return value(of: scalar)
        case .sequence(let sequence):
            var items: [Value] = []
            for item in sequence {
                guard let item = value(of: item, depth: depth + 1, budget: &budget) else {
                    return nil
                }
                items.append(item)
            }
            return .list(items)
        case .mapping(let mapping):
            var object: [String: Value] = [:]
            for (key, item) in mapping {
                guard case .scalar(let key) = key, key.string != "<<",
                    let item = value(of: item, depth: depth + 1, budget: &budget)
                else { return nil }
                object[key.string] = item
            }
            return .object(object)
        }
    }

    private static func value(of scalar: Node.Scalar) -> Value? {
        let text = scalar.string
        guard scalar.style == .plain else { return .text(text) }
        if scalar.isNull { return .null }
        if text == "true" || text == "false" { return .boolean(text == "true") }
        if let number = Int(text) { return .integer(number) }
        if let first = text.utf8.first, first == 0x2D || (0x30...0x39).contains(first),
            let number = Double(text), number.isFinite
        {
            return .number(number)
        }
        return .text(text)
    }
}
