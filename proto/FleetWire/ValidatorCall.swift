/// A check by a validator of the catalog, as it travels: the id and every parameter.
package struct ValidatorCall: Codable, Sendable, Hashable {
    /// The validator's id, `memory_available`.
    package var id: String
    /// The parameters by name, defaults filled in.
    package var parameters: [String: ParameterValue]
    /// Where each of them comes from; one that is not named is of the plan.
    package var origins: [String: ParameterOrigin]
    /// A call of these fields.
    package init(
        id: String, parameters: [String: ParameterValue],
        origins: [String: ParameterOrigin] = [:]
    ) {
        self.id = id
        self.parameters = parameters
        self.origins = origins
    }

    /// Where the parameter `name` comes from.
    package func origin(of name: String) -> ParameterOrigin { origins[name] ?? .plan }
}

/// Where the value of a parameter comes from; a later one wins over those before it.
package enum ParameterOrigin: String, Codable, Sendable, Hashable, CaseIterable {
    /// The validator's own default.
    case standard = "default"
    /// The host's configuration file.
    case configuration
    /// The plan.
    case plan
}

/// One parameter of a check as a result shows it.
package struct ShownParameter: Codable, Sendable, Hashable {
    /// Its name.
    package var name: String
    /// Its value as people write it, redacted and bounded.
    package var value: String
    /// Where it comes from.
    package var origin: ParameterOrigin
    /// A parameter of these fields.
    package init(name: String, value: String, origin: ParameterOrigin) {
        self.name = name
        self.value = value
        self.origin = origin
    }
}

/// The value of a parameter: plain JSON. Sizes are whole bytes, spans whole milliseconds.
package indirect enum ParameterValue: Codable, Sendable, Hashable {
    case flag(Bool)
    case whole(Int)
    /// A number that is not whole; `ParameterValue.number` keeps it so.
    case fraction(Double)
    case text(String)
    case list([ParameterValue])
    case map([String: ParameterValue])

    /// A number in its one form, so that equal numbers are equal values.
    package static func number(_ number: Double) -> ParameterValue {
        Int(exactly: number).map { .whole($0) } ?? .fraction(number)
    }

    /// Decodes any JSON but `null`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let whole = try? container.decode(Int.self) {
            self = .whole(whole)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([ParameterValue].self) {
            self = .list(list)
        } else {
            self = .map(try container.decode([String: ParameterValue].self))
        }
    }

    /// Encodes as plain JSON.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .flag(let value): try container.encode(value)
        case .whole(let value): try container.encode(value)
        case .fraction(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        }
    }
}
