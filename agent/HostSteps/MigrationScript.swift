/// Looks for statements that would break out of a migration's transaction.
enum MigrationScript {
    private static let words: Set<String> = [
        "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "VACUUM",
    ]

    /// The first word of the first statement that is not allowed; nil if there is none. The body
    /// of a trigger (BEGIN … END) is allowed.
    static func refused(in sql: String) -> String? {
        var inTrigger = false
        for statement in statements(of: sql) {
            guard let first = statement.first else { continue }
            if inTrigger {
                if first == "END" { inTrigger = false }
            } else if words.contains(first) {
                return first
            } else if first == "CREATE", statement.prefix(3).contains("TRIGGER") {
                inTrigger = statement.last != "END"
            }
        }
        return nil
    }

    /// The words of each statement, upper case, without comments, strings and quoted names.
    private static func statements(of sql: String) -> [[String]] {
        let bytes = Array(sql.utf8)
        var all: [[String]] = []
        var words: [String] = []
        var word: [UInt8] = []
        func endWord() {
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self).uppercased()) }
            word = []
        }
        var index = 0
        while index < bytes.count {
            if let after = skipped(bytes, index) {
                endWord()
                index = after
                continue
            }
            let byte = bytes[index]
            if isWord(byte) {
                word.append(byte)
            } else {
                endWord()
                if byte == UInt8(ascii: ";") {
                    all.append(words)
                    words = []
                }
            }
            index += 1
        }
        endWord()
        return all + [words]
    }

    /// The end of the comment, string or quoted name that begins at `index`; nil if none does.
    private static func skipped(_ bytes: [UInt8], _ index: Int) -> Int? {
        let rest = bytes[index...]
        func after(_ end: [UInt8], from start: Int) -> Int {
            var place = start
            while place < bytes.count && !bytes[place...].starts(with: end) { place += 1 }
            return min(bytes.count, place + end.count)
        }
        if rest.starts(with: "--".utf8) { return after([0x0A], from: index + 2) }
        if rest.starts(with: "/*".utf8) { return after(Array("*/".utf8), from: index + 2) }
        switch bytes[index] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
            return after([bytes[index]], from: index + 1)
        case UInt8(ascii: "["): return after([UInt8(ascii: "]")], from: index + 1)
        default: return nil
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte == 0x5F || byte >= 0x80
    }
}
