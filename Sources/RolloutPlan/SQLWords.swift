/// The first word of each SQL statement, so far as it must be known: strings, quoted names and
/// comments are passed over, and so are the bodies of triggers, which hold BEGIN and END.
struct SQLWords {
    /// In lower case, in order.
    let statementStarts: [String]

    init(_ sql: String) {
        var starts: [String] = []
        var statement: [String] = []
        // Open BEGIN and CASE of a trigger's body; each has its END.
        var depth = 0
        for token in Self.tokens(Array(sql.utf8)) {
            if token == ";" {
                if depth == 0 { statement = [] }
                continue
            }
            if statement.isEmpty { starts.append(token) }
            // Only the first words are asked for; the rest need not be kept.
            if statement.count < 64 { statement.append(token) }
            let isTrigger = statement.first == "create" && statement.contains("trigger")
            if isTrigger && (token == "begin" || (token == "case" && depth > 0)) { depth += 1 }
            if token == "end" && depth > 0 { depth -= 1 }
        }
        statementStarts = starts
    }

    private static func tokens(_ sql: [UInt8]) -> [String] {
        var found: [String] = []
        var index = 0
        func skip(past end: [UInt8], from start: Int) -> Int {
            var index = start
            while index < sql.count, !sql[index...].starts(with: end) { index += 1 }
            return min(sql.count, index + end.count)
        }
        while index < sql.count {
            switch sql[index] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                index = skip(past: [sql[index]], from: index + 1)
                found.append("''")
            case UInt8(ascii: "["):
                index = skip(past: [UInt8(ascii: "]")], from: index + 1)
                found.append("''")
            case UInt8(ascii: "-") where sql[index...].starts(with: "--".utf8):
                index = skip(past: [0x0A], from: index)
            case UInt8(ascii: "/") where sql[index...].starts(with: "/*".utf8):
                index = skip(past: Array("*/".utf8), from: index + 2)
            case UInt8(ascii: ";"):
                found.append(";")
                index += 1
            case let byte where isWord(byte):
                let start = index
                while index < sql.count, isWord(sql[index]) { index += 1 }
                found.append(String(decoding: sql[start..<index], as: UTF8.self).lowercased())
            default: index += 1
            }
        }
        return found
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...: true
        default: false
        }
    }
}
