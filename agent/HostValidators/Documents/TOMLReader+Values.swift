extension TOMLReader {
    /// A value that is no inline table under a key of its own.
    mutating func value(depth: Int) throws(DocumentError) -> DocumentValue {
        let line = cursor.line
        let kind: DocumentValue.Kind
        switch cursor.peek {
        case UInt8(ascii: "\""):
            kind = .text(cursor.starts(with: "\"\"\"") ? try longBasic() : try basicString())
        case UInt8(ascii: "'"):
            kind = .text(cursor.starts(with: "'''") ? try longLiteral() : try literalString())
        case UInt8(ascii: "["): kind = .list(try array(depth: depth))
        case UInt8(ascii: "{"): return try inlineTable(depth: depth).value
        default: kind = try word()
        }
        return DocumentValue(kind: kind, line: line)
    }

    private mutating func array(depth: Int) throws(DocumentError) -> [DocumentValue] {
        guard depth < DocumentLimits.nestingMax else {
            throw cursor.failure("it nests deeper than \(DocumentLimits.nestingMax)", isLimit: true)
        }
        cursor.advance()
        var items: [DocumentValue] = []
        repeat {
            try skipLines()
            // A comma may follow the last.
            if cursor.take("]") { return items }
            items.append(try value(depth: depth + 1))
            try skipLines()
        } while cursor.take(",")
        guard cursor.take("]") else { throw cursor.failure("a comma or ] is missing") }
        return items
    }

    // MARK: - Strings

    mutating func basicString() throws(DocumentError) -> String {
        cursor.advance()
        var text: [UInt8] = []
        while let byte = cursor.peek, byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                cursor.advance()
                text += try escaped()
            } else {
                text.append(try plain(byte))
            }
        }
        guard cursor.take("\"") else { throw cursor.failure("a string has no end") }
        return String(decoding: text, as: UTF8.self)
    }

    mutating func literalString() throws(DocumentError) -> String {
        cursor.advance()
        var text: [UInt8] = []
        while let byte = cursor.peek, byte != UInt8(ascii: "'") { text.append(try plain(byte)) }
        guard cursor.take("'") else { throw cursor.failure("a string has no end") }
        return String(decoding: text, as: UTF8.self)
    }

    /// One byte of a string on one line.
    private mutating func plain(_ byte: UInt8) throws(DocumentError) -> UInt8 {
        guard byte >= 0x20 && byte != 0x7F || byte == 0x09 else {
            throw cursor.failure("a string has no end, or holds a control character")
        }
        cursor.advance()
        return byte
    }

    private mutating func longBasic() throws(DocumentError) -> String {
        cursor.advance(3)
        _ = newline()
        var text: [UInt8] = []
        while !cursor.isAtEnd, !cursor.starts(with: "\"\"\"") {
            if cursor.take("\\") {
                if !skipFoldedLine() { text += try escaped() }
            } else {
                text.append(try long())
            }
        }
        text += try longEnd(UInt8(ascii: "\""))
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func longLiteral() throws(DocumentError) -> String {
        cursor.advance(3)
        _ = newline()
        var text: [UInt8] = []
        while !cursor.isAtEnd, !cursor.starts(with: "'''") { text.append(try long()) }
        text += try longEnd(UInt8(ascii: "'"))
        return String(decoding: text, as: UTF8.self)
    }

    /// One byte of a string on several lines.
    private mutating func long() throws(DocumentError) -> UInt8 {
        if newline() { return 0x0A }
        return try plain(cursor.peek ?? 0)
    }

    /// The three quotes at the end, before which one or two more belong to the text.
    private mutating func longEnd(_ quote: UInt8) throws(DocumentError) -> [UInt8] {
        let quotes = (0..<5).prefix { cursor.peek($0) == quote }.count
        guard quotes >= 3 else { throw cursor.failure("a string has no end") }
        cursor.advance(quotes)
        return Array(repeating: quote, count: quotes - 3)
    }

    /// After a backslash: blanks to the end of the line, and all blanks behind it.
    private mutating func skipFoldedLine() -> Bool {
        let before = cursor
        skipBlanks()
        guard newline() else {
            cursor = before
            return false
        }
        repeat { skipBlanks() } while newline()
        return true
    }

    private mutating func escaped() throws(DocumentError) -> [UInt8] {
        let meanings: [UInt8: UInt8] = [
            0x62: 0x08, 0x74: 0x09, 0x6E: 0x0A, 0x66: 0x0C, 0x72: 0x0D, 0x22: 0x22, 0x5C: 0x5C,
        ]
        guard let byte = cursor.peek else { throw cursor.failure("a string has no end") }
        if let meaning = meanings[byte] {
            cursor.advance()
            return [meaning]
        }
        let count = byte == UInt8(ascii: "u") ? 4 : byte == UInt8(ascii: "U") ? 8 : 0
        let digits = (1..<(count + 1)).compactMap { cursor.peek($0) }
        guard count > 0 else { throw cursor.failure("there is no such escape sequence") }
        guard digits.count == count, digits.allSatisfy({ Self.isDigit($0, radix: 16) }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(code)
        else { throw cursor.failure("\(count) hexadecimal digits of a character are missing") }
        cursor.advance(count + 1)
        return Array(String(Character(scalar)).utf8)
    }

    // MARK: - Words

    private mutating func word() throws(DocumentError) -> DocumentValue.Kind {
        let start = cursor
        var bytes = Array(takeWord())
        // A blank may stand between date and time.
        if TOMLTime.isDate(bytes[...]), cursor.peek == 0x20,
            let digit = cursor.peek(1), Self.isDigit(digit, radix: 10)
        {
            cursor.advance()
            bytes += [0x54] + Array(takeWord())
        }
        let text = String(decoding: bytes, as: UTF8.self)
        switch text {
        case "": throw start.failure("a value is missing")
        case "true": return .flag(true)
        case "false": return .flag(false)
        case "inf", "+inf": return .fraction(.infinity)
        case "-inf": return .fraction(-.infinity)
        case "nan", "+nan", "-nan": return .fraction(.nan)
        default: break
        }
        if TOMLTime.isTime(bytes[...]) { return .text(text) }
        guard let number = Self.number(bytes) else {
            throw start.failure(
                "it is no string, number, date, true or false, or the number is too large")
        }
        return number
    }

    private mutating func takeWord() -> ArraySlice<UInt8> {
        cursor.takeAll { byte in
            Self.isDigit(byte, radix: 10) || (0x61...0x7A).contains(byte | 0x20)
                || "+-_.:".utf8.contains(byte)
        }
    }

    private static func number(_ bytes: [UInt8]) -> DocumentValue.Kind? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)]
        where bytes.starts(with: prefix.utf8) {
            return digits(bytes.dropFirst(2), radix: radix)
                .flatMap { Int($0, radix: radix) }.map { .whole($0) }
        }
        let sign = bytes.first.map { "+-".utf8.contains($0) } ?? false ? bytes.prefix(1) : []
        let rest = bytes.dropFirst(sign.count)
        let point = rest.firstIndex { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
        guard let whole = digits(rest[..<(point ?? rest.endIndex)], radix: 10),
            whole == "0" || !whole.hasPrefix("0")
        else { return nil }
        let signed = String(decoding: sign, as: UTF8.self) + whole
        guard let point else { return Int(signed).map { .whole($0) } }
        return fraction(rest[point...]).flatMap { Double(signed + $0) }.map { .fraction($0) }
    }

    /// `.5`, `e+5` or `.5e-5`, without underscores.
    private static func fraction(_ bytes: ArraySlice<UInt8>) -> String? {
        var text = ""
        var rest = bytes
        if rest.first == UInt8(ascii: ".") {
            let end = rest.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? rest.endIndex
            guard let part = digits(rest[(rest.startIndex + 1)..<end], radix: 10) else {
                return nil
            }
            text = "." + part
            rest = rest[end...]
        }
        guard !rest.isEmpty else { return text }
        rest.removeFirst()
        let sign = rest.first.map { "+-".utf8.contains($0) } ?? false ? rest.prefix(1) : []
        guard let part = digits(rest.dropFirst(sign.count), radix: 10) else { return nil }
        return text + "e" + String(decoding: sign, as: UTF8.self) + part
    }

    /// Digits without the underscores, each of which stands between two digits.
    private static func digits(_ bytes: ArraySlice<UInt8>, radix: Int) -> String? {
        let parts = bytes.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { isDigit($0, radix: radix) } })
        else { return nil }
        return String(decoding: parts.joined(), as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8, radix: Int) -> Bool {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { $0 < radix } ?? false
    }
}
