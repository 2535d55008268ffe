/// Reads TOML 1.0 strictly, as no light library does: tables here, values in the other files.
struct TOMLReader {
    /// A table under construction; how it was made says who may still add to it.
    final class Table {
        enum Origin {
            /// Made by the way to a table below it: a header may still define it.
            case implicit
            /// `[header]`: closed to other headers and to dotted keys.
            case header
            /// Made by dotted keys, which may go on in it.
            case dotted
            /// `{…}`: closed.
            case inline
        }

        enum Item {
            case value(DocumentValue)
            case table(Table)
            /// `[[header]]`, its elements so far.
            case tables([Table])
        }

        var origin: Origin
        let line: Int
        private(set) var items: [String: Item] = [:]
        private var names: [String] = []

        init(_ origin: Origin, line: Int) {
            self.origin = origin
            self.line = line
        }

        func set(_ name: String, _ item: Item) {
            if items.updateValue(item, forKey: name) == nil { names.append(name) }
        }

        /// What was read.
        var value: DocumentValue {
            let members = names.compactMap { name -> DocumentValue.Member? in
                switch items[name] {
                case .value(let value): .init(name: name, value: value)
                case .table(let table): .init(name: name, value: table.value)
                case .tables(let tables):
                    .init(
                        name: name,
                        value: DocumentValue(
                            kind: .list(tables.map(\.value)), line: tables.first?.line ?? line))
                case nil: nil
                }
            }
            return DocumentValue(kind: .map(members), line: line)
        }
    }

    var cursor: DocumentCursor

    /// The document.
    static func read(_ bytes: [UInt8]) throws(DocumentError) -> Document {
        if let error = DocumentCursor.notUTF8(bytes) { throw error }
        var reader = TOMLReader(cursor: DocumentCursor(bytes))
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.cursor.advance(3) }
        return Document(values: [try reader.document().value])
    }

    private mutating func document() throws(DocumentError) -> Table {
        let root = Table(.header, line: 1)
        var current = root
        while true {
            try skipLines()
            switch cursor.peek {
            case nil: return root
            case UInt8(ascii: "["): current = try header(root)
            default: try pair(into: current, depth: 1)
            }
            try endLine()
        }
    }

    // MARK: - Tables

    private mutating func header(_ root: Table) throws(DocumentError) -> Table {
        let line = cursor.line
        cursor.advance()
        let isArray = cursor.take("[")
        skipBlanks()
        let start = cursor
        let key = try key()
        guard cursor.take("]"), !isArray || cursor.take("]") else {
            throw cursor.failure("a ] is missing")
        }
        guard key.count < DocumentLimits.nestingMax, let last = key.last else {
            throw start.failure("it nests deeper than \(DocumentLimits.nestingMax)", isLimit: true)
        }
        var table = root
        for name in key.dropLast() {
            switch table.items[name] {
            case nil:
                let next = Table(.implicit, line: line)
                table.set(name, .table(next))
                table = next
            case .table(let next) where next.origin != .inline: table = next
            case .tables(let tables):
                guard let next = tables.last else { throw start.failure("\(name) is empty") }
                table = next
            case .table, .value: throw start.failure("\(name) is a value, it can hold no tables")
            }
        }
        return isArray
            ? try append(last, to: table, line, start) : try open(last, in: table, line, start)
    }

    private func open(
        _ name: String, in table: Table, _ line: Int, _ start: DocumentCursor
    ) throws(DocumentError) -> Table {
        switch table.items[name] {
        case nil:
            let opened = Table(.header, line: line)
            table.set(name, .table(opened))
            return opened
        case .table(let known) where known.origin == .implicit:
            known.origin = .header
            return known
        case .table(let known):
            throw start.failure("the table \(name) is defined already in line \(known.line)")
        case .tables, .value: throw start.failure("\(name) is defined already")
        }
    }

    private func append(
        _ name: String, to table: Table, _ line: Int, _ start: DocumentCursor
    ) throws(DocumentError) -> Table {
        let element = Table(.header, line: line)
        switch table.items[name] {
        case nil: table.set(name, .tables([element]))
        case .tables(let known): table.set(name, .tables(known + [element]))
        case .table, .value: throw start.failure("\(name) is defined already")
        }
        return element
    }

    /// `key = value`.
    private mutating func pair(into table: Table, depth: Int) throws(DocumentError) {
        let line = cursor.line
        let start = cursor
        let key = try key()
        guard cursor.take("=") else { throw cursor.failure("a = is missing") }
        skipBlanks()
        guard key.count + depth < DocumentLimits.nestingMax, let last = key.last else {
            throw start.failure("it nests deeper than \(DocumentLimits.nestingMax)", isLimit: true)
        }
        var table = table
        for name in key.dropLast() {
            switch table.items[name] {
            case nil:
                let next = Table(.dotted, line: line)
                table.set(name, .table(next))
                table = next
            case .table(let next) where next.origin == .dotted || next.origin == .implicit:
                next.origin = .dotted
                table = next
            case .table, .tables, .value:
                throw start.failure("\(name) is defined already, dotted keys cannot add to it")
            }
        }
        guard table.items[last] == nil else {
            throw start.failure("the key \(last) is defined already")
        }
        table.set(last, try item(depth: depth + key.count))
    }

    private mutating func item(depth: Int) throws(DocumentError) -> Table.Item {
        guard cursor.peek == UInt8(ascii: "{") else { return .value(try value(depth: depth)) }
        return .table(try inlineTable(depth: depth))
    }

    /// `{ a = 1, b.c = 2 }`, on one line.
    mutating func inlineTable(depth: Int) throws(DocumentError) -> Table {
        guard depth < DocumentLimits.nestingMax else {
            throw cursor.failure("it nests deeper than \(DocumentLimits.nestingMax)", isLimit: true)
        }
        let table = Table(.inline, line: cursor.line)
        cursor.advance()
        skipBlanks()
        if !cursor.take("}") {
            repeat {
                skipBlanks()
                try pair(into: table, depth: depth)
                skipBlanks()
            } while cursor.take(",")
            guard cursor.take("}") else { throw cursor.failure("a comma or } is missing") }
        }
        close(table)
        return table
    }

    /// Nobody may add to what stands in an inline table.
    private func close(_ table: Table) {
        table.origin = .inline
        for item in table.items.values {
            if case .table(let inner) = item { close(inner) }
        }
    }

    // MARK: - Keys and lines

    /// `a."b.c".d`, with the blanks around it.
    private mutating func key() throws(DocumentError) -> [String] {
        var parts: [String] = []
        repeat {
            skipBlanks()
            switch cursor.peek {
            case UInt8(ascii: "\""): parts.append(try basicString())
            case UInt8(ascii: "'"): parts.append(try literalString())
            default:
                let bare = cursor.takeAll { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
                guard !bare.isEmpty else { throw cursor.failure("a key is missing") }
                parts.append(String(decoding: bare, as: UTF8.self))
            }
            skipBlanks()
        } while cursor.take(".")
        return parts
    }

    mutating func skipBlanks() { _ = cursor.takeAll { $0 == 0x20 || $0 == 0x09 } }

    /// Blanks, comments and ends of lines.
    mutating func skipLines() throws(DocumentError) {
        repeat { try skipComment() } while newline()
    }

    private mutating func skipComment() throws(DocumentError) {
        skipBlanks()
        guard cursor.peek == UInt8(ascii: "#") else { return }
        _ = cursor.takeAll { ($0 >= 0x20 || $0 == 0x09) && $0 != 0x7F }
        let isEnd = cursor.isAtEnd || cursor.starts(with: "\n") || cursor.starts(with: "\r\n")
        guard isEnd else { throw cursor.failure("there is a control character") }
    }

    mutating func newline() -> Bool {
        if cursor.starts(with: "\r\n") { cursor.advance() }
        return cursor.take("\n")
    }

    private mutating func endLine() throws(DocumentError) {
        try skipComment()
        guard newline() || cursor.isAtEnd else {
            throw cursor.failure("something follows on the line")
        }
    }
}
