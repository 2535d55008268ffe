/// A table read from CSV as RFC 4180 writes it: a header line, then rows of as many fields.
package struct CSVTable: Sendable, Equatable {
    /// The names of the columns, in order; unique and not empty.
    package let columns: [String]
    /// The rows, each with one field a column; an empty field is a missing value.
    package let rows: [[String]]

    /// The most columns that a table may have; features are quadratic in it.
    package static let columnsMax = 128

    /// Parses UTF-8 bytes; a problem names its line.
    package init(parsing bytes: [UInt8]) throws(RegistryProblem) {
        var scanner = CSVScanner(bytes: bytes)
        guard let header = try scanner.next() else {
            throw RegistryProblem(.invalid, "CSV is empty: expected a header line")
        }
        guard header.count <= Self.columnsMax else {
            throw RegistryProblem(
                .invalid, "CSV has \(header.count) columns, at most \(Self.columnsMax) are taken")
        }
        guard Set(header).count == header.count, !header.contains("") else {
            throw RegistryProblem(
                .invalid, "CSV header has an empty or repeated column name: \(header)")
        }
        var rows: [[String]] = []
        while let row = try scanner.next() {
            guard row.count == header.count else {
                throw RegistryProblem(
                    .invalid,
                    "CSV line \(scanner.recordLine) has \(row.count) fields, "
                        + "the header has \(header.count)")
            }
            rows.append(row)
        }
        self.columns = header
        self.rows = rows
    }

    /// The values of one column as numbers, missing ones as nil; nil when it is a column of text.
    ///
    /// A column is numeric when it has a value and every value is a finite decimal number.
    package func numbers(inColumn index: Int) -> [Double?]? {
        var values: [Double?] = []
        values.reserveCapacity(rows.count)
        var found = false
        for row in rows {
            let field = row[index]
            if field.isEmpty {
                values.append(nil)
                continue
            }
            guard let number = Self.decimal(field) else { return nil }
            found = true
            values.append(number)
        }
        return found ? values : nil
    }

    /// A decimal number; not `nan`, `inf` or hexadecimal, which `Double` would take.
    private static func decimal(_ field: String) -> Double? {
        let allowed = field.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        guard allowed, let number = Double(field), number.isFinite else { return nil }
        return number
    }
}
