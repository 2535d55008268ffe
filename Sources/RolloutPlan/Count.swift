import FleetWire

/// A number of hosts, or a percentage of some; `5` or `10%`, in JSON too.
package enum Count: Codable, Sendable, Hashable {
    case number(Int)
    case percent(Int)

    /// Decodes a number, or text such as `10%`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else if let count = Count(friendly: try container.decode(String.self)) {
            self = count
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a count; expected 5 or 10%")
        }
    }

    /// Encodes a number as such and a percentage as text.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .percent(let percent): try container.encode("\(percent)%")
        }
    }

    /// The count of `total`, percentages rounded down.
    package func of(_ total: Int) -> Int {
        switch self {
        case .number(let number): number
        case .percent(let percent): total * percent / 100
        }
    }
}
