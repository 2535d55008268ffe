/// Reads JSON as RFC 8259 has it: no comments, no commas at the end, one value.
struct JSONReader {
    private var cursor: DocumentCursor
    private var doubts: [DocumentError] = []

    /// The document; a key that stands twice is a doubt, as the RFC leaves open what it means.
    static func read(_ bytes: [UInt8]) throws(DocumentError) -> Document {
        if let error = DocumentCursor.notUTF8(bytes) { throw error }
        var reader = JSONReader(cursor: DocumentCursor(bytes))
        let value = try reader.value(depth: 1)
        reader.skipBlanks()
        guard reader.cursor.isAtEnd else {
            throw reader.cursor.failure("something follows the document")
        }
        return Document(values: [value], doubts: reader.doubts)
    }

    private init(cursor: DocumentCursor) { self.cursor = cursor }

    private mutating func value(depth: Int) throws(DocumentError) -> DocumentValue {
        guard depth <= DocumentLimits.nestingMax else {
            throw cursor.failure(
                "it nests deeper than \(DocumentLimits.nestingMax)", isLimit: true)
        }
        skipBlanks()
        let line = cursor.line
        let kind: DocumentValue.Kind
        switch cursor.peek {
        case UInt8(ascii: "{"): kind = .map(try members(depth))
        case UInt8(ascii: "["): kind = .list(try items(depth))
        case UInt8(ascii: "\""): kind = .text(try string())
        default: kind = try word()
        }
        return DocumentValue(kind: kind, line: line)
    }

    private mutating func members(_ depth: Int) throws(DocumentError) -> [DocumentValue.Member] {
        cursor.advance()
        var members: [DocumentValue.Member] = []
        var names: Set<String> = []
        skipBlanks()
        if cursor.take("}") { return [] }
        repeat {
            skipBlanks()
            guard cursor.peek == UInt8(ascii: "\"") else {
                throw cursor.failure("a key in quotes is missing")
            }
            let place = cursor
            let name = try string()
            if !names.insert(name).inserted {
                doubts.append(place.failure("the key \(name) stands twice in one object"))
            }
            skipBlanks()
            guard cursor.take(":") else { throw cursor.failure("a colon is missing") }
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            skipBlanks()
        } while cursor.take(",")
        guard cursor.take("}") else { throw cursor.failure("a comma or } is missing") }
        return members
    }

    private mutating func items(_ depth: Int) throws(DocumentError) -> [DocumentValue] {
        cursor.advance()
        var items: [DocumentValue] = []
        skipBlanks()
        if cursor.take("]") { return [] }
        repeat {
            items.append(try value(depth: depth + 1))
            skipBlanks()
        } while cursor.take(",")
        guard cursor.take("]") else { throw cursor.failure("a comma or ] is missing") }
        return items
    }

    private mutating func string() throws(DocumentError) -> String {
        cursor.advance()
        var text: [UInt8] = []
        while let byte = cursor.peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else {
                throw cursor.failure("a string has no end, or holds a control character")
            }
            cursor.advance()
            if byte == UInt8(ascii: "\\") {
                text += try escaped()
            } else {
                text.append(byte)
            }
        }
        guard cursor.take("\"") else { throw cursor.failure("a string has no end") }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func escaped() throws(DocumentError) -> [UInt8] {
        let byte = cursor.peek
        let plain: [UInt8: UInt8] = [
            0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D,
            0x74: 0x09,
        ]
        guard byte == UInt8(ascii: "u") else {
            guard let byte, let meant = plain[byte] else {
                throw cursor.failure("there is no such escape sequence")
            }
            cursor.advance()
            return [meant]
        }
        cursor.advance()
        var code = try hexadecimal()
        if (0xD800...0xDBFF).contains(code), cursor.starts(with: "\\u") {
            cursor.advance(2)
            let low = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(low) else {
                throw cursor.failure("half of a surrogate pair is missing")
            }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw cursor.failure("half of a surrogate pair is missing")
        }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal() throws(DocumentError) -> UInt32 {
        let digits = (0..<4).compactMap { cursor.peek($0) }
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw cursor.failure("four hexadecimal digits are missing") }
        cursor.advance(4)
        return code
    }

    private mutating func word() throws(DocumentError) -> DocumentValue.Kind {
        let start = cursor
        let bytes = cursor.takeAll { $0 > 0x20 && !",:]}[{\"".utf8.contains($0) }
        let text = String(decoding: bytes, as: UTF8.self)
        switch text {
        case "": throw start.failure("a value is missing")
        case "true": return .flag(true)
        case "false": return .flag(false)
        case "null": return .null
        default:
            guard Self.isNumber(bytes) else {
                throw start.failure("it is no string, number, true, false or null")
            }
            if let whole = Int(text) { return .whole(whole) }
            guard let number = Double(text), number.isFinite else {
                throw start.failure("the number is too large")
            }
            return .fraction(number)
        }
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    private static func isNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        func digits(_ rest: inout ArraySlice<UInt8>) -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let isZero = rest.first == UInt8(ascii: "0")
        let count = digits(&rest)
        guard count > 0, !isZero || count == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard digits(&rest) > 0 else { return false }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, "+-".utf8.contains(sign) { rest.removeFirst() }
            guard digits(&rest) > 0 else { return false }
        }
        return rest.isEmpty
    }

    private mutating func skipBlanks() {
        _ = cursor.takeAll { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    }
}
