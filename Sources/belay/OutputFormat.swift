import ArgumentParser
import FleetWire
import Foundation
import Yams

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

    /// Remembers who reads, before anything is asked.
    func validate() throws { Audience.isProgram = format == .json || format == .yaml }

    /// Prints `value`: for people by `table`, for programs as it is.
    func show<Value: Encodable>(
        _ value: Value, table: (_ isWide: Bool, _ style: Style) -> [String]
    ) throws {
        switch format {
        case .table, .wide: Console.output.lines(table(format == .wide, Console.output.style))
        case .json, .yaml: Console.output.write(try Document.text(of: value, as: format))
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
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        encoder.options.allowUnicode = true
        return try encoder.encode(tree)
    }

    /// One line of JSON.
    static func line(of value: some Encodable) throws -> String {
        String(decoding: try WireJSON.encode(value), as: UTF8.self)
    }

    /// Any JSON, so that YAML shows exactly what JSON shows.
    private enum Tree: Codable {
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

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .null: try container.encodeNil()
            case .flag(let flag): try container.encode(flag)
            case .whole(let whole): try container.encode(whole)
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .list(let list): try container.encode(list)
            case .object(let object): try container.encode(object)
            }
        }
    }
}
