/// One value of a JSON, YAML, TOML or INI file, and the line where it begins.
struct DocumentValue: Sendable {
    indirect enum Kind: Sendable {
        case null
        case flag(Bool)
        case whole(Int)
        case fraction(Double)
        /// Text; dates and times of TOML too, as they are spelled.
        case text(String)
        case list([DocumentValue])
        /// In the order of the file.
        case map([Member])
    }

    struct Member: Sendable {
        var name: String
        var value: DocumentValue
    }

    var kind: Kind
    /// From 1.
    var line: Int

    /// The members of a mapping.
    var members: [Member]? {
        guard case .map(let members) = kind else { return nil }
        return members
    }

    /// The text, or nil for anything else.
    var text: String? {
        guard case .text(let text) = kind else { return nil }
        return text
    }

    /// A number as JSON Schema compares them.
    var number: Double? {
        switch kind {
        case .whole(let number): Double(number)
        case .fraction(let number): number
        case .null, .flag, .text, .list, .map: nil
        }
    }

    /// The value of a key; nil if this is no mapping or has no such key.
    subscript(name: String) -> DocumentValue? { members?.first { $0.name == name }?.value }

    /// Equal as JSON Schema has it: numbers by value, mappings in any order; lines do not matter.
    func isEqual(to other: DocumentValue) -> Bool {
        switch (kind, other.kind) {
        case (.null, .null): true
        case (.flag(let one), .flag(let two)): one == two
        case (.whole(let one), .whole(let two)): one == two
        case (.text(let one), .text(let two)): one == two
        case (.list(let one), .list(let two)):
            one.count == two.count && zip(one, two).allSatisfy { $0.isEqual(to: $1) }
        case (.map(let one), .map(let two)):
            one.count == two.count
                && one.allSatisfy { member in
                    other[member.name].map { member.value.isEqual(to: $0) } ?? false
                }
        case (.null, _), (.flag, _), (.text, _), (.list, _), (.map, _): false
        case (.whole, _), (.fraction, _): number != nil && number == other.number
        }
    }
}
