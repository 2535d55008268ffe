import ArgumentParser
import FleetWire
import FoundationEssentials
import Glibc

/// How a read is printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, wide, json, yaml
}

/// `-o`, on every read.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "How to print: table, wide, json or yaml.")
    var format: OutputFormat = .table

    /// True if a program reads.
    var isProgram: Bool { format == .json || format == .yaml }

    /// Prints `value`: for people by `table`, for programs as it is.
    func show(_ value: some Encodable, table: (_ isWide: Bool, _ style: Style) -> [String]) throws {
        switch format {
        case .table, .wide: Stream.output.lines(table(format == .wide, Stream.output.style))
        case .json, .yaml: Stream.output.write(try Document.text(of: value, as: format))
        }
    }
}

/// A value as text for programs; field names and units as on the wire.
enum Document {
    static func text(of value: some Encodable, as format: OutputFormat) throws -> String {
        guard format == .yaml else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        }
        let tree = try JSONDecoder().decode(Tree.self, from: Data(try WireJSON.encode(value)))
        return tree.yaml(indent: 0).joined(separator: "\n") + "\n"
    }

    /// Any JSON, so that YAML shows exactly what JSON shows.
    private enum Tree: Decodable {
        case null, flag(Bool), whole(Int64), number(Double), text(String)
        case list([Tree]), object([String: Tree])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let whole = try? container.decode(Int64.self) {
                self = .whole(whole)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let list = try? container.decode([Tree].self) {
                self = .list(list)
            } else {
                self = .object(try container.decode([String: Tree].self))
            }
        }

        /// Block style of YAML 1.2; texts in double quotes, whose escapes are those of JSON.
        func yaml(indent: Int) -> [String] {
            let space = String(repeating: " ", count: indent)
            switch self {
            case .object(let members) where !members.isEmpty:
                return members.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
                    if let scalar = value.scalar { return ["\(space)\(key): \(scalar)"] }
                    return ["\(space)\(key):"] + value.yaml(indent: indent + 2)
                }
            case .list(let items) where !items.isEmpty:
                return items.flatMap { item -> [String] in
                    if let scalar = item.scalar { return ["\(space)- \(scalar)"] }
                    var lines = item.yaml(indent: indent + 2)
                    lines[0] = space + "- " + lines[0].dropFirst(indent + 2)
                    return lines
                }
            case .null, .flag, .whole, .number, .text, .list, .object:
                return [space + (scalar ?? "")]
            }
        }

        /// What stands on the line of its key; nil for what needs lines of its own.
        private var scalar: String? {
            switch self {
            case .null: "null"
            case .flag(let flag): flag ? "true" : "false"
            case .whole(let whole): "\(whole)"
            case .number(let number): "\(number)"
            case .text(let text):
                (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) }
                    ?? "\"\""
            case .list(let items): items.isEmpty ? "[]" : nil
            case .object(let members): members.isEmpty ? "{}" : nil
            }
        }
    }
}

/// Whether text may carry colour; decided once for each stream.
struct Style: Sendable, Equatable {
    var color: Bool

    /// Text for files and tests.
    static let plain = Style(color: false)

    enum Role: String { case good = "32", bad = "31", caution = "33", faint = "2" }

    func paint(_ text: String, _ role: Role) -> String {
        color && !text.isEmpty ? "\u{1B}[\(role.rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// One of the process's standard streams.
struct Stream: Sendable {
    /// Data.
    static let output = Stream(1)
    /// Progress and errors.
    static let error = Stream(2)

    let descriptor: Int32
    let isTerminal: Bool
    let style: Style

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        let refused = Self.variable("NO_COLOR") != "" || Self.variable("TERM") == "dumb"
        style = Style(color: isTerminal && !refused)
    }

    private static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }

    func lines(_ lines: [String]) { write(lines.map { $0 + "\n" }.joined()) }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE {
                // A reader that went away has seen what it wanted.
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}
