/// Reads selectors: requirements with commas between them. Columns are counted in Unicode scalars,
/// as YAML counts them.
struct SelectorParser {
    private enum Token: Equatable {
        case word(String)
        case comma, open, close, equals, differs, bang, end

        var shown: String {
            switch self {
            case .word(let text): "`\(text)`"
            case .comma: "`,`"
            case .open: "`(`"
            case .close: "`)`"
            case .equals: "`=`"
            case .differs: "`!=`"
            case .bang: "`!`"
            case .end: "the end"
            }
        }
    }

    private let text: [Unicode.Scalar]
    private var position = 0
    private var token = Token.end
    private var column = 1

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    mutating func parse() throws(SelectorError) -> [Selector.Requirement] {
        try advance()
        if token == .end {
            throw SelectorError(
                column: 1, message: "the selector is empty; write a label such as `app=web`")
        }
        var found = [try requirement()]
        while token != .end {
            guard token == .comma else { throw unexpected("`,` or the end") }
            try advance()
            found.append(try requirement())
        }
        return found
    }

    private mutating func requirement() throws(SelectorError) -> Selector.Requirement {
        if token == .bang {
            try advance()
            return .missing(try key())
        }
        let key = try key()
        switch token {
        case .comma, .end: return .exists(key)
        case .equals, .differs:
            let differs = token == .differs
            try advance()
            let value = try value()
            return differs ? .differs(key, value) : .equals(key, value)
        case .word("in"):
            try advance()
            return .oneOf(key, try values())
        case .word("notin"):
            try advance()
            return .noneOf(key, try values())
        default: throw unexpected("`=`, `!=`, `in`, `notin`, `,` or the end")
        }
    }

    private mutating func key() throws(SelectorError) -> String {
        guard case .word(let key) = token else { throw unexpected("the name of a label") }
        try check(key, named: "a label's name", bytesMax: 253)
        try advance()
        return key
    }

    /// A value may be empty: `a=` asks for the label with an empty value.
    private mutating func value() throws(SelectorError) -> String {
        guard case .word(let value) = token else {
            guard token == .comma || token == .end || token == .close else {
                throw unexpected("a value")
            }
            return ""
        }
        try check(value, named: "a label's value", bytesMax: 253)
        try advance()
        return value
    }

    private mutating func values() throws(SelectorError) -> Set<String> {
        guard token == .open else { throw unexpected("`(` and values") }
        try advance()
        guard token != .close else { throw unexpected("a value") }
        var found: Set<String> = [try value()]
        while token == .comma {
            try advance()
            found.insert(try value())
        }
        guard token == .close else { throw unexpected("`,` or `)`") }
        try advance()
        return found
    }

    private func check(_ word: String, named what: String, bytesMax: Int) throws(SelectorError) {
        guard word.utf8.count <= bytesMax else {
            throw SelectorError(column: column, message: "\(what) has at most \(bytesMax) bytes")
        }
    }

    private func unexpected(_ expected: String) -> SelectorError {
        SelectorError(column: column, message: "expected \(expected), found \(token.shown)")
    }

    private mutating func advance() throws(SelectorError) {
        while position < text.count, text[position].properties.isWhitespace { position += 1 }
        column = position + 1
        guard position < text.count else { return token = .end }
        let next = position + 1 < text.count ? text[position + 1] : nil
        switch text[position] {
        case ",": take(.comma, 1)
        case "(": take(.open, 1)
        case ")": take(.close, 1)
        case "=": take(.equals, next == "=" ? 2 : 1)
        case "!": next == "=" ? take(.differs, 2) : take(.bang, 1)
        case let first where Self.isWord(first):
            var end = position
            while end < text.count, Self.isWord(text[end]) { end += 1 }
            var word = String.UnicodeScalarView()
            word.append(contentsOf: text[position..<end])
            take(.word(String(word)), end - position)
        case let other:
            throw SelectorError(
                column: column,
                message: "`\(other)` cannot stand in a selector; labels are letters, digits, "
                    + "`-`, `_`, `.` and `/`")
        }
    }

    private mutating func take(_ found: Token, _ length: Int) {
        token = found
        position += length
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "/": true
        default: false
        }
    }
}
