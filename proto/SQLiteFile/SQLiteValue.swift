/// One value of a row or a parameter.
package enum SQLiteValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    /// The integer, or nil for another type.
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The text, or nil for another type.
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    /// The bytes, or nil for another type.
    package var blob: [UInt8]? { if case .blob(let value) = self { value } else { nil } }
}
