/// Identifiers that travel between coordinator and agents; each is a checked string, never a bare
/// one, so that a host id cannot be passed where a rollout id belongs.

/// What all identifiers share: a string within a length and an alphabet.
package protocol WireIdentifier: RawRepresentable<String>, Codable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    /// The longest allowed length in bytes.
    static var bytesMax: Int { get }
    /// Takes a raw string that was already checked.
    init(unchecked rawValue: String)
}

extension WireIdentifier {
    /// The longest allowed length in bytes.
    package static var bytesMax: Int { 128 }

    /// Nil unless `rawValue` is 1 to `bytesMax` bytes of `[A-Za-z0-9._-]`, beginning and ending with
    /// a letter or digit. So an identifier is always safe as a file name and in a URI.
    package init?(rawValue: String) {
        let bytes = Array(rawValue.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.bytesMax,
            let first = bytes.first, let last = bytes.last,
            first.isLetterOrDigit, last.isLetterOrDigit,
            bytes.allSatisfy({ $0.isLetterOrDigit || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F })
        else { return nil }
        self.init(unchecked: rawValue)
    }

    /// The same check as `init(rawValue:)`, shorter to write.
    package init?(_ text: String) { self.init(rawValue: text) }

    /// Decodes and checks; throws `DecodingError.dataCorrupted` for an ill-formed identifier.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(rawValue: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "ill-formed \(Self.self)")
        }
        self = value
    }

    /// Encodes as a plain string.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// Orders by the bytes of the string.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The raw string.
    package var description: String { rawValue }
}

extension UInt8 {
    var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}

/// A host's name, taken from its certificate's URI `belay://host/<id>`, never from a message.
package struct HostID: WireIdentifier {
    /// The name as printed.
    package let rawValue: String
    /// Takes a raw string that was already checked.
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// One run of a plan.
package struct RolloutID: WireIdentifier {
    /// The id as printed.
    package let rawValue: String
    /// Takes a raw string that was already checked.
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// One rollback point of one host; ids sort by the time of capture.
package struct PointID: WireIdentifier {
    /// The id as printed.
    package let rawValue: String
    /// Takes a raw string that was already checked.
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// A named part of a host's state that can be captured and restored alone.
package struct ComponentName: WireIdentifier {
    /// The name as printed.
    package let rawValue: String
    /// Takes a raw string that was already checked.
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// Number of the coordinator's term; raised durably at every start. Agents refuse anything older
/// than the highest that they have seen.
package struct Generation: RawRepresentable, Codable, Hashable, Comparable, Sendable {
    /// The number; 0 is before the first coordinator.
    package let rawValue: UInt64
    /// Makes a generation of a number.
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Decodes a plain number.
    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(UInt64.self)
    }
    /// Encodes as a plain number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
    /// Orders by number.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
