import FleetWire
import FoundationEssentials

/// Any JSON, to be compared.
indirect enum JSONTree: Decodable, Hashable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case map([String: JSONTree])

    /// Nil if `bytes` are not JSON, or nest too deep.
    init?(_ bytes: [UInt8]) {
        guard (try? WireJSON.check(bytes, limits: .v1)) != nil,
            let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(bytes))
        else { return nil }
        self = tree
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONTree].self) {
            self = .list(list)
        } else {
            self = .map(try container.decode([String: JSONTree].self))
        }
    }

    /// The member `name` of a mapping.
    subscript(name: String) -> JSONTree? {
        guard case .map(let members) = self else { return nil }
        return members[name]
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// A text without quotes, any other scalar as JSON; nil for lists and mappings.
    var scalar: String? {
        switch self {
        case .null: "null"
        case .flag(let flag): flag ? "true" : "false"
        case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
        case .text(let text): text
        case .list, .map: nil
        }
    }

    /// Its type's name, for people.
    var kind: String {
        switch self {
        case .null: "null"
        case .flag: "a boolean"
        case .number: "a number"
        case .text: "a string"
        case .list: "an array"
        case .map: "an object"
        }
    }
}
