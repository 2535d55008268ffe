import FleetWire

extension Count {
    /// The greatest number that a plan may name.
    package static let numberMax = 1_000_000

    /// Reads `5` or `10%`; nil for anything else, a negative number and more than 100 percent.
    package init?(friendly text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        switch text[digits.endIndex...] {
        case "" where number <= Self.numberMax: self = .number(Int(number))
        case "%" where number <= 100: self = .percent(Int(number))
        default: return nil
        }
    }

    /// `5` or `10%`.
    package var friendly: String {
        switch self {
        case .number(let number): "\(number)"
        case .percent(let percent): "\(percent)%"
        }
    }

    /// False for negative numbers, percentages over 100 and numbers over `numberMax`.
    package var isInRange: Bool {
        switch self {
        case .number(let number): (0...Self.numberMax).contains(number)
        case .percent(let percent): (0...100).contains(percent)
        }
    }
}
