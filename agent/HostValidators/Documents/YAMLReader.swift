import CLibYAML

/// Reads YAML: libyaml parses it, this makes values of its events as the core schema of YAML 1.2
/// has it, with the merge key `<<`, which programs know still.
struct YAMLReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private var event = yaml_event_t()
    private var anchors: [String: (value: DocumentValue, count: Int)] = [:]
    /// Values so far, those of aliases counted again.
    private var count = 0

    /// All documents of the stream.
    static func read(_ bytes: [UInt8]) throws(DocumentError) -> Document {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            throw DocumentError(line: 1, reason: "there is no memory to read it", isLimit: true)
        }
        defer { yaml_parser_delete(parser) }
        // The parser keeps the place of the bytes, which therefore must not move.
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        defer { input.deallocate() }
        _ = input.initialize(from: bytes)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
        var reader = YAMLReader(parser: parser)
        defer { yaml_event_delete(&reader.event) }
        return try reader.stream()
    }

    private init(parser: UnsafeMutablePointer<yaml_parser_t>) { self.parser = parser }

    private mutating func stream() throws(DocumentError) -> Document {
        var values: [DocumentValue] = []
        while true {
            try next()
            switch event.type {
            case YAML_STREAM_END_EVENT: return Document(values: values)
            case YAML_DOCUMENT_START_EVENT:
                anchors = [:]
                try next()
                values.append(try value(depth: 1))
            default: break
            }
        }
    }

    /// The value that the present event begins; ends at its last event.
    private mutating func value(depth: Int) throws(DocumentError) -> DocumentValue {
        guard depth <= DocumentLimits.nestingMax else {
            throw failure("it nests deeper than \(DocumentLimits.nestingMax)", isLimit: true)
        }
        let line = Int(event.start_mark.line) + 1
        let before = count
        let anchor: String?
        let kind: DocumentValue.Kind
        switch event.type {
        case YAML_ALIAS_EVENT: return try alias()
        case YAML_SCALAR_EVENT:
            anchor = Self.text(event.data.scalar.anchor)
            kind = scalar()
        case YAML_SEQUENCE_START_EVENT:
            anchor = Self.text(event.data.sequence_start.anchor)
            kind = .list(try items(depth))
        case YAML_MAPPING_START_EVENT:
            anchor = Self.text(event.data.mapping_start.anchor)
            kind = .map(try members(depth))
        default: throw failure("a value is missing")
        }
        try add(1)
        let value = DocumentValue(kind: kind, line: line)
        if let anchor { anchors[anchor] = (value, count - before) }
        return value
    }

    private mutating func alias() throws(DocumentError) -> DocumentValue {
        let name = Self.text(event.data.alias.anchor) ?? ""
        // An anchor is known once its value has ended, so that none can hold itself.
        guard let known = anchors[name] else {
            throw failure("the alias \(name) names no anchor above it")
        }
        try add(known.count)
        return known.value
    }

    private mutating func add(_ more: Int) throws(DocumentError) {
        count += more
        guard count <= DocumentLimits.valuesMax else {
            throw failure(
                "it stands for more than \(DocumentLimits.valuesMax) values", isLimit: true)
        }
    }

    private mutating func items(_ depth: Int) throws(DocumentError) -> [DocumentValue] {
        var items: [DocumentValue] = []
        try next()
        while event.type != YAML_SEQUENCE_END_EVENT {
            items.append(try value(depth: depth + 1))
            try next()
        }
        return items
    }

    private mutating func members(_ depth: Int) throws(DocumentError) -> [DocumentValue.Member] {
        var members: [DocumentValue.Member] = []
        var merged: [DocumentValue] = []
        var names: Set<String> = []
        try next()
        while event.type != YAML_MAPPING_END_EVENT {
            let mark = event.start_mark
            let isMerge = isPlain && Self.text(event.data.scalar.value) == "<<"
            let name = try key(depth)
            guard names.insert(name).inserted else {
                throw Self.failure("the key \(name) stands twice in one mapping", mark)
            }
            try next()
            let value = try value(depth: depth + 1)
            if isMerge {
                merged.append(value)
            } else {
                members.append(.init(name: name, value: value))
            }
            try next()
        }
        for value in merged { try merge(value, into: &members) }
        return members
    }

    /// Keys of JSON are texts, so a scalar is its own spelling, and any other a number of its own.
    private mutating func key(_ depth: Int) throws(DocumentError) -> String {
        if event.type == YAML_SCALAR_EVENT { return try keyText() }
        let mark = event.start_mark
        let value = try value(depth: depth + 1)
        guard case .text(let text) = value.kind else {
            return "[key at line \(mark.line + 1), column \(mark.column + 1)]"
        }
        return text
    }

    private mutating func keyText() throws(DocumentError) -> String {
        let text = Self.text(event.data.scalar.value) ?? ""
        _ = try value(depth: 1)
        return text
    }

    /// What stands in the mapping itself wins over what is merged.
    private func merge(
        _ value: DocumentValue, into members: inout [DocumentValue.Member]
    ) throws(DocumentError) {
        let sources: [DocumentValue]
        if case .list(let items) = value.kind { sources = items } else { sources = [value] }
        for source in sources {
            guard let more = source.members else {
                throw DocumentError(line: value.line, reason: "only mappings can be merged by <<")
            }
            let known = Set(members.map(\.name))
            members += more.filter { !known.contains($0.name) }
        }
    }

    // MARK: - Scalars

    /// True for a scalar that is not quoted.
    private var isPlain: Bool {
        event.type == YAML_SCALAR_EVENT && event.data.scalar.plain_implicit == 1
    }

    private func scalar() -> DocumentValue.Kind {
        let text = Self.text(event.data.scalar.value) ?? ""
        let tag = Self.text(event.data.scalar.tag)
        let core = ["null", "bool", "int", "float"].map { "tag:yaml.org,2002:" + $0 }
        guard isPlain || tag.map(core.contains) ?? false else { return .text(text) }
        return Self.resolved(text)
    }

    /// Section 10.3.2 of YAML 1.2.
    private static func resolved(_ text: String) -> DocumentValue.Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .flag(true)
        case "false", "False", "FALSE": return .flag(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .fraction(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .fraction(-.infinity)
        case ".nan", ".NaN", ".NAN": return .fraction(.nan)
        default: return number(text) ?? .text(text)
        }
    }

    private static func number(_ text: String) -> DocumentValue.Kind? {
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            let digits = text.dropFirst(2)
            guard digits.allSatisfy(\.isHexDigit) else { return nil }
            return Int(digits, radix: radix).map { .whole($0) }
        }
        // `Double` reads more than YAML calls a number: `nan`, `infinity`, `0x1p3`.
        guard text.utf8.contains(where: { (0x30...0x39).contains($0) }),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) })
        else { return nil }
        if let whole = Int(text) { return .whole(whole) }
        return Double(text).map { .fraction($0) }
    }

    // MARK: - libyaml

    private mutating func next() throws(DocumentError) {
        yaml_event_delete(&event)
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
    }

    private func problem() -> DocumentError {
        let reason = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        switch parser.pointee.error {
        case YAML_READER_ERROR:
            // Only the place in bytes is known.
            let bytes = UnsafeBufferPointer(
                start: parser.pointee.input.string.start,
                count: parser.pointee.input.string.end - parser.pointee.input.string.start)
            var cursor = DocumentCursor(Array(bytes))
            cursor.advance(Int(parser.pointee.problem_offset))
            return cursor.failure(reason)
        case YAML_MEMORY_ERROR:
            return DocumentError(line: 1, reason: "there is no memory to read it", isLimit: true)
        // Versions after 0.2.5 have a limit of their own, which is met while they look ahead.
        case YAML_PARSER_ERROR where reason.hasPrefix("Maximum nesting level"):
            return Self.failure(
                "it nests deeper than libyaml reads", parser.pointee.problem_mark, isLimit: true)
        default:
            let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
            return Self.failure(reason + context, parser.pointee.problem_mark)
        }
    }

    private func failure(_ reason: String, isLimit: Bool = false) -> DocumentError {
        Self.failure(reason, event.start_mark, isLimit: isLimit)
    }

    private static func failure(
        _ reason: String, _ mark: yaml_mark_t, isLimit: Bool = false
    ) -> DocumentError {
        DocumentError(
            line: Int(mark.line) + 1, column: Int(mark.column) + 1, reason: reason,
            isLimit: isLimit)
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        bytes.map { String(cString: $0) }
    }
}
