package import FleetWire
import FoundationEssentials
import Glibc
import HostProcesses

/// What the operator set for a store: `settings.json` in its directory, which agent, guard and
/// break-glass commands read alike.
///
/// `{"key_file": "/etc/belay/points.key", "retention": {"count": 20, "age": "30d", "bytes":
/// "20GiB"}, "scrub_every": "7d"}`; every key is optional.
package struct StoreSettings: Sendable, Hashable {
    /// The file of the key that new points are sealed with; nil if they are not.
    package var keyFile: String?
    /// What a prune keeps when it is not told otherwise; nil leaves it to `DefaultRetention`, one
    /// without limits keeps all.
    package var retention: PointRetention?
    /// How often all packs are rehashed in the background; nil leaves it to the agent.
    package var scrubEvery: Milliseconds?

    /// The name of the file below the store's directory.
    package static let fileName = "settings.json"

    /// Settings that leave everything as it is without a file.
    package init() {}

    /// Reads the file's bytes. Throws `PointError` with all that is wrong: a key that is not known
    /// (and the nearest that is), a value of another kind or out of its range.
    package init(decoding bytes: [UInt8], path: String) throws {
        var problems: [String] = []
        do {
            var reader = try SettingsReader(bytes)
            keyFile = reader.text("key_file")
            scrubEvery = reader.duration("scrub_every")
            let isSet = reader.holds("retention")
            var limits = reader.object("retention")
            let found = PointRetention(
                count: limits.count("count"), age: limits.duration("age"),
                bytes: limits.bytes("bytes"))
            if isSet { retention = found }
            problems = reader.problems() + limits.problems()
            if let keyFile, !keyFile.hasPrefix("/") || keyFile.utf8.contains(0) {
                problems.append("key_file must be an absolute path")
            }
        } catch {
            problems = ["it is not a JSON object"]
        }
        guard problems.isEmpty else {
            throw PointError(
                "read the settings", path, problems.joined(separator: "; "), "correct the file")
        }
    }
}

/// Takes values out of one object of JSON and remembers what does not fit.
private struct SettingsReader {
    private enum Value: Decodable {
        case text(String)
        case number(Int64)
        case object([String: Value])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let number = try? container.decode(Int64.self) {
                self = .number(number)
            } else if let object = try? container.decode([String: Value].self) {
                self = .object(object)
            } else {
                self = .other
            }
        }
    }

    private var values: [String: Value]
    private let prefix: String
    private var asked: [String] = []
    private var found: [String] = []

    init(_ bytes: [UInt8]) throws {
        try WireJSON.check(bytes, limits: .v1)
        values = try JSONDecoder().decode([String: Value].self, from: Data(bytes))
        prefix = ""
    }

    private init(_ values: [String: Value], _ prefix: String) {
        self.values = values
        self.prefix = prefix
    }

    private mutating func value(_ name: String) -> Value? {
        asked.append(name)
        return values[name]
    }

    func holds(_ name: String) -> Bool { values[name] != nil }

    mutating func text(_ name: String) -> String? {
        switch value(name) {
        case nil: return nil
        case .text(let text): return text
        case .number, .object, .other: return refuse(name, "must be a text")
        }
    }

    mutating func object(_ name: String) -> SettingsReader {
        switch value(name) {
        case nil: return SettingsReader([:], "")
        case .object(let values): return SettingsReader(values, name + ".")
        case .text, .number, .other:
            _ = refuse(name, "must be an object") as Int?
            return SettingsReader([:], "")
        }
    }

    mutating func count(_ name: String) -> Int? {
        switch value(name) {
        case nil: return nil
        case .number(let number) where number >= 1: return Int(number)
        case .text, .number, .object, .other: return refuse(name, "must be a number from 1 on")
        }
    }

    mutating func duration(_ name: String) -> Milliseconds? {
        quantity(
            name, ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000],
            "must be a text like 30d, 12h, 45m or 90s"
        ).map(Milliseconds.init)
    }

    mutating func bytes(_ name: String) -> ByteCount? {
        quantity(
            name, ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40],
            "must be a text like 500MiB, 20GiB or 1TiB"
        ).map { ByteCount(UInt64($0)) }
    }

    private mutating func quantity(
        _ name: String, _ units: [String: Int64], _ rule: String
    ) -> Int64? {
        switch value(name) {
        case nil: return nil
        case .text(let text):
            let digits = text.prefix { ("0"..."9").contains($0) }
            guard let unit = units[String(text.dropFirst(digits.count))],
                let number = Int64(digits), number > 0,
                case let (product, isOver) = number.multipliedReportingOverflow(by: unit), !isOver
            else { return refuse(name, rule) }
            return product
        case .number, .object, .other: return refuse(name, rule)
        }
    }

    private mutating func refuse<Value>(_ name: String, _ rule: String) -> Value? {
        found.append("\(prefix)\(name) \(rule)")
        return nil
    }

    /// What did not fit, unknown keys included.
    func problems() -> [String] {
        found
            + values.keys.filter { !asked.contains($0) }.sorted().map { name in
                let near = NearestName.of(name, among: asked).map { "; did you mean \($0)?" } ?? ""
                return "\(prefix)\(printable(Array(name.utf8))) is not known\(near)"
            }
    }
}
