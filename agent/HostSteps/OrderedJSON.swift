import FleetWire
import FoundationEssentials

/// A JSON document that keeps the order of its keys and the spelling of what is not touched.
indirect enum OrderedJSON: Equatable {
    struct Failure: Error {
        let reason: String
    }

    struct Member: Equatable {
        /// The key as it is spelled, quotes included.
        var token: String
        var name: String
        var value: OrderedJSON
    }

    case object([Member])
    case array([OrderedJSON])
    /// A string (quotes included), number, true, false or null, as it is spelled.
    case scalar(String)

    /// Reads a document; refuses what is not JSON, nests too deep or names a key twice.
    init(_ bytes: [UInt8]) throws(Failure) {
        do throws(FrameError) {
            try WireJSON.check(bytes, limits: .v1)
        } catch {
            throw Failure(reason: "it is not UTF-8 or nests too deep")
        }
        var reader = Reader(bytes: bytes)
        self = try reader.document()
    }

    /// The string `text` as a document.
    init(string text: String) {
        let bytes = (try? JSONEncoder().encode(text)).map(Array.init) ?? Array("\"\"".utf8)
        self = .scalar(String(decoding: bytes, as: UTF8.self))
    }

    /// The value of a key; nil if this is no object or has no such key.
    subscript(name: String) -> OrderedJSON? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.name == name }?.value
        }
        set {
            guard case .object(var members) = self, let newValue else { return }
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                members.append(
                    Member(token: OrderedJSON(string: name).text, name: name, value: newValue))
            }
            self = .object(members)
        }
    }

    /// The keys of an object, in order.
    var names: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }

    /// The string, or nil for anything else.
    var string: String? {
        guard case .scalar(let token) = self, token.hasPrefix("\"") else { return nil }
        return Reader.decoded(token)
    }

    /// The document with two spaces of indentation a level.
    var text: String { text(indent: "") }

    private func text(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .scalar(let token): return token
        case .array(let values) where values.isEmpty: return "[]"
        case .object(let members) where members.isEmpty: return "{}"
        case .array(let values):
            let lines = values.map { inner + $0.text(indent: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members):
            let lines = members.map { "\(inner)\($0.token): " + $0.value.text(indent: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }
}

extension OrderedJSON {
    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        static func decoded(_ token: String) -> String? {
            try? JSONDecoder().decode(String.self, from: Data(token.utf8))
        }

        mutating func document() throws(Failure) -> OrderedJSON {
            let value = try value()
            skipBlanks()
            guard index == bytes.count else { throw failure("something follows the document") }
            return value
        }

        private mutating func value() throws(Failure) -> OrderedJSON {
            skipBlanks()
            switch peek {
            case UInt8(ascii: "{"): return try object()
            case UInt8(ascii: "["): return try array()
            case UInt8(ascii: "\""): return .scalar(try string().token)
            default: return .scalar(try word())
            }
        }

        private mutating func object() throws(Failure) -> OrderedJSON {
            index += 1
            var members: [Member] = []
            var names: Set<String> = []
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .object([]) }
            repeat {
                skipBlanks()
                let (token, name) = try string()
                guard names.insert(name).inserted else { throw failure("the key \(name) is twice") }
                skipBlanks()
                guard take(UInt8(ascii: ":")) else { throw failure("a colon is missing") }
                members.append(Member(token: token, name: name, value: try value()))
                skipBlanks()
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw failure("a } is missing") }
            return .object(members)
        }

        private mutating func array() throws(Failure) -> OrderedJSON {
            index += 1
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array([]) }
            var values: [OrderedJSON] = []
            repeat {
                values.append(try value())
                skipBlanks()
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw failure("a ] is missing") }
            return .array(values)
        }

        private mutating func string() throws(Failure) -> (token: String, name: String) {
            let start = index
            guard take(UInt8(ascii: "\"")) else { throw failure("a string is missing") }
            while let byte = peek, byte != UInt8(ascii: "\"") {
                index += byte == UInt8(ascii: "\\") ? 2 : 1
            }
            guard take(UInt8(ascii: "\"")) else { throw failure("a string has no end") }
            let token = String(decoding: bytes[start..<index], as: UTF8.self)
            guard let name = Self.decoded(token) else { throw failure("a string is ill-formed") }
            return (token, name)
        }

        private mutating func word() throws(Failure) -> String {
            let start = index
            while let byte = peek, byte > 0x20, !",:]}".utf8.contains(byte) { index += 1 }
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            if ["true", "false", "null"].contains(text) { return text }
            guard let first = text.utf8.first, first == 0x2D || (0x30...0x39).contains(first),
                (try? JSONDecoder().decode(Double.self, from: Data(text.utf8))) != nil
            else { throw failure("a value is missing or ill-formed") }
            return text
        }

        private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard peek == byte else { return false }
            index += 1
            return true
        }

        private mutating func skipBlanks() {
            while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
        }

        private func failure(_ what: String) -> Failure {
            let line = bytes.prefix(index).count { $0 == 0x0A } + 1
            return Failure(reason: "line \(line): \(what)")
        }
    }
}
