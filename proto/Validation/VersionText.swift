import FleetWire

/// A version as packages and programs write it, ordered as Debian orders them (deb-version(7)):
/// digits by their number, letters before other signs, `~` before the end.
package struct VersionText: Sendable, Comparable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    /// A version of this text; nil without any digit.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.contains(where: Self.isDigit), text.utf8.allSatisfy({ $0 > 0x20 }) else {
            return nil
        }
        description = String(text)
    }

    /// The first version in `text`: a digit that no letter stands before, and what belongs to it, up
    /// to a blank or a bracket. `after` are the words that it must follow.
    package init?(in text: some StringProtocol, after: String? = nil) {
        var rest = Array(text.utf8)[...]
        if let after {
            guard let found = String(text).firstRange(of: after) else { return nil }
            rest = Array(String(text)[found.upperBound...].utf8)[...]
        }
        var last: UInt8 = 0x20
        while let byte = rest.first {
            let isBeginning =
                !Self.isLetter(last) && !Self.isDigit(last) && last != UInt8(ascii: ".")
            if Self.isDigit(byte), isBeginning || last == UInt8(ascii: "v") {
                let word = rest.prefix {
                    Self.isDigit($0) || Self.isLetter($0) || ".+~-_".utf8.contains($0)
                }
                self.init(String(decoding: word, as: UTF8.self).trimmedOfDots)
                return
            }
            last = byte
            rest = rest.dropFirst()
        }
        return nil
    }

    /// Same order, whatever the spelling: `1.0` and `1.00` are equal.
    package static func == (left: VersionText, right: VersionText) -> Bool {
        order(left, right) == 0
    }

    /// True if `left` is the older one.
    package static func < (left: VersionText, right: VersionText) -> Bool { order(left, right) < 0 }

    private static func order(_ left: VersionText, _ right: VersionText) -> Int {
        let (left, right) = (left.parts, right.parts)
        for (one, other) in [
            (left.epoch, right.epoch), (left.upstream, right.upstream),
            (left.revision, right.revision),
        ] {
            let found = order(one, other)
            if found != 0 { return found }
        }
        return 0
    }

    private var parts: (epoch: [UInt8], upstream: [UInt8], revision: [UInt8]) {
        var rest = Array(description.utf8)[...]
        var epoch: [UInt8] = []
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            epoch = Array(rest[..<colon])
            rest = rest[(colon + 1)...]
        }
        guard let dash = rest.lastIndex(of: UInt8(ascii: "-")) else {
            return (epoch, Array(rest), [])
        }
        return (epoch, Array(rest[..<dash]), Array(rest[(dash + 1)...]))
    }

    private static func order(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var (left, right) = (left[...], right[...])
        while !left.isEmpty || !right.isEmpty {
            while weight(left.first) != 0 || weight(right.first) != 0 {
                let (one, other) = (weight(left.first), weight(right.first))
                if one != other { return one - other }
                left = left.dropFirst()
                right = right.dropFirst()
            }
            let (one, other) = (digits(&left), digits(&right))
            if one.count != other.count { return one.count - other.count }
            if let differing = zip(one, other).first(where: { $0 != $1 }) {
                return Int(differing.0) - Int(differing.1)
            }
        }
        return 0
    }

    /// 0 for a digit and the end, so that they end a part that is no number.
    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte, !isDigit(byte) else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return isLetter(byte) ? Int(byte) : Int(byte) + 256
    }

    /// Takes the digits at the beginning, without zeros before them.
    private static func digits(_ text: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = text.prefix(while: isDigit)
        text = text.dropFirst(digits.count)
        return digits.drop { $0 == UInt8(ascii: "0") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

extension String {
    /// Without the signs that end a sentence rather than a version.
    fileprivate var trimmedOfDots: Substring {
        var text = self[...]
        while let last = text.last, ".-_+~".contains(last) { text = text.dropLast() }
        return text
    }
}

extension ValidatorParameter {
    /// The range that a version is held against.
    static let versionRange: [ValidatorParameter] = [
        .optional("version", .text, "The version that it must be."),
        .optional("version_min", .text, threshold: .fail, "It fails below this version."),
        .optional(
            "version_below", .text, threshold: .fail, "It fails at this version and above."),
        .optional("version_warn", .text, threshold: .warn, "It warns below this version."),
    ]
}

extension ValidatorSpec.Rule {
    /// At least one bound of `ValidatorParameter.versionRange`.
    static let anyVersion = ValidatorSpec.Rule.atLeastOne([
        "version", "version_min", "version_below", "version_warn",
    ])
}
