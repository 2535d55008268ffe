/// Quantities that travel: typed, with their unit in the name.

/// A span of time in whole milliseconds; may be negative after subtraction.
package struct Milliseconds: Codable, Hashable, Comparable, Sendable {
    /// The number of milliseconds.
    package var count: Int64
    /// A span of `count` milliseconds.
    package init(_ count: Int64) { self.count = count }
    /// A span of whole seconds.
    package static func seconds(_ seconds: Int64) -> Milliseconds { Milliseconds(seconds * 1000) }
    /// No time at all.
    package static let zero = Milliseconds(0)
    /// Decodes a plain number.
    package init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(Int64.self)
    }
    /// Encodes as a plain number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }
    /// Orders by length.
    package static func < (left: Self, right: Self) -> Bool { left.count < right.count }
    /// The sum, held at the ends of the range instead of trapping.
    package static func + (left: Self, right: Self) -> Self {
        let (sum, overflow) = left.count.addingReportingOverflow(right.count)
        return Milliseconds(overflow ? (left.count < 0 ? .min : .max) : sum)
    }
    /// As people read it, to two digits or more: `0s`, `840ms`, `1.2s`, `42s`, `1m 42s`, `2h 5m`,
    /// `3d 4h`; less than nothing reads as nothing.
    package var text: String {
        func pair(_ big: Int64, _ bigUnit: String, _ small: Int64, _ smallUnit: String) -> String {
            small == 0 ? "\(big)\(bigUnit)" : "\(big)\(bigUnit) \(small)\(smallUnit)"
        }
        let seconds = count / 1000
        switch count {
        case ...0: return "0s"
        case ..<1000: return "\(count)ms"
        case ..<10_000:
            let tenths = count / 100 % 10
            return tenths == 0 ? "\(seconds)s" : "\(seconds).\(tenths)s"
        case ..<60_000: return "\(seconds)s"
        case ..<3_600_000: return pair(seconds / 60, "m", seconds % 60, "s")
        case ..<86_400_000: return pair(seconds / 3600, "h", seconds / 60 % 60, "m")
        default: return pair(seconds / 86400, "d", seconds / 3600 % 24, "h")
        }
    }
    /// The same span for the standard library's clocks.
    package var duration: Duration { .milliseconds(count) }
}

/// A moment of wall-clock time: milliseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Codable, Hashable, Comparable, Sendable {
    /// Milliseconds since 1970.
    package var milliseconds: Int64
    /// The moment `milliseconds` after 1970.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    /// Decodes a plain number.
    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    /// Encodes as a plain number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
    /// Orders by time.
    package static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }
    /// The moment `span` later, held at the ends of the range.
    package static func + (left: Self, span: Milliseconds) -> Self {
        Timestamp(milliseconds: (Milliseconds(left.milliseconds) + span).count)
    }
    /// The span from `earlier` to this moment, held at the ends of the range.
    package func since(_ earlier: Timestamp) -> Milliseconds {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return Milliseconds(overflow ? (milliseconds < 0 ? .min : .max) : difference)
    }
    /// RFC 3339 in whole seconds of UTC, `2026-11-24T23:59:59Z`, held at the years 1970 and 9999.
    package var utc: String {
        let seconds = max(0, min(milliseconds / 1000, 253_402_300_799))
        let date = CivilDate.date(ofDay: seconds / 86_400)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let rest = seconds % 86_400
        return
            "\(date.year)-\(two(date.month))-\(two(date.day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }
    /// How long ago it was at `now`, in one unit for tables: `12s`, `5m`, `3h`, `8d`.
    package func age(at now: Timestamp) -> String {
        let seconds = max(0, now.since(self).count / 1000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86400: return "\(seconds / 3600)h"
        default: return "\(seconds / 86400)d"
        }
    }
}

/// A number of bytes.
package struct ByteCount: Codable, Hashable, Comparable, Sendable {
    /// The number of bytes.
    package var count: UInt64
    /// A size of `count` bytes.
    package init(_ count: UInt64) { self.count = count }
    /// Decodes a plain number.
    package init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(UInt64.self)
    }
    /// Encodes as a plain number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }
    /// Orders by size.
    package static func < (left: Self, right: Self) -> Bool { left.count < right.count }
    /// As people read it, by powers of 1024: `512 B`, `1.5 KiB`, `120 GiB`.
    package var text: String {
        guard count >= 1024 else { return "\(count) B" }
        var value = Double(count)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = next
        }
        let tenths = Int((value * 10).rounded())
        return value >= 100 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}

/// A SHA-256, printed as `sha256:` and 64 lower-case hexadecimal digits.
package struct Digest: Codable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 64 hexadecimal digits, without a prefix.
    package let hex: String
    /// Takes `sha256:<64 hex>` or the 64 digits alone; nil for anything else.
    package init?(_ text: String) {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard digits.utf8.count == 64,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        hex = digits
    }
    /// Makes the digest of its 32 bytes; nil for another number of bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        let alphabet = Array("0123456789abcdef".utf8)
        var digits: [UInt8] = []
        digits.reserveCapacity(64)
        for byte in bytes {
            digits.append(alphabet[Int(byte >> 4)])
            digits.append(alphabet[Int(byte & 15)])
        }
        hex = String(decoding: digits, as: UTF8.self)
    }
    /// Decodes the printed form; throws `DecodingError.dataCorrupted` for anything else.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a sha256 digest")
        }
        self = digest
    }
    /// Encodes as `sha256:<64 hex>`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
    /// Orders by the digits.
    package static func < (left: Self, right: Self) -> Bool { left.hex < right.hex }
    /// `sha256:<64 hex>`.
    package var description: String { "sha256:" + hex }
    /// The first 12 digits, for tables that people read.
    package var short: String { String(hex.prefix(12)) }
}
