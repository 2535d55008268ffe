/// Cuts CSV (RFC 4180) that comes in parts into rows of fields.
struct CSVReader {
    private enum Place { case plain, quoted, afterQuote }

    private var place = Place.plain
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var isBegun = false
    /// The first line that is not CSV, from 1; nil while all is.
    private(set) var brokenLine: Int?
    private var line = 1

    mutating func take(_ bytes: ArraySlice<UInt8>, _ body: ([String]) -> Void) {
        for byte in bytes { take(byte, body) }
    }

    mutating func finish(_ body: ([String]) -> Void) {
        if place == .quoted { brokenLine = brokenLine ?? line }
        if isBegun { endRow(body) }
    }

    private mutating func take(_ byte: UInt8, _ body: ([String]) -> Void) {
        switch (place, byte) {
        case (.quoted, UInt8(ascii: "\"")): place = .afterQuote
        case (.quoted, _):
            field.append(byte)
            if byte == 10 { line += 1 }
        case (.afterQuote, UInt8(ascii: "\"")):
            field.append(byte)
            place = .quoted
        case (.plain, UInt8(ascii: "\"")) where field.isEmpty:
            place = .quoted
            isBegun = true
        case (_, UInt8(ascii: ",")):
            endField()
            isBegun = true
        case (_, 10):
            if isBegun { endRow(body) }
            line += 1
        case (_, 13): break
        case (.afterQuote, _), (.plain, UInt8(ascii: "\"")):
            brokenLine = brokenLine ?? line
        case (.plain, _):
            field.append(byte)
            isBegun = true
        }
    }

    private mutating func endField() {
        fields.append(String(decoding: field, as: UTF8.self))
        field = []
        place = .plain
    }

    private mutating func endRow(_ body: ([String]) -> Void) {
        endField()
        body(fields)
        fields = []
        isBegun = false
    }
}
