/// Which paths of a component are left out: patterns like gitignore's.
///
/// `*`, `?` and `[a-z]` match within one name, `**` over names. A pattern with a slash that is not
/// its last byte is held against the path from the component's path on, others against any name.
/// A slash at the end asks for a directory; `!` takes back. The last pattern that matches decides.
struct ExcludePatterns {
    private struct Pattern {
        var bytes: [UInt8]
        var anchored: Bool
        var directoryOnly: Bool
        var takesBack: Bool
    }
    private let patterns: [Pattern]

    init(_ texts: [String]) {
        patterns = texts.compactMap { text in
            var bytes = Array(text.utf8)[...]
            let takesBack = bytes.first == UInt8(ascii: "!")
            if takesBack { bytes = bytes.dropFirst() }
            let directoryOnly = bytes.last == UInt8(ascii: "/")
            if directoryOnly { bytes = bytes.dropLast() }
            let anchored = bytes.contains(UInt8(ascii: "/"))
            if bytes.first == UInt8(ascii: "/") { bytes = bytes.dropFirst() }
            guard !bytes.isEmpty else { return nil }
            return Pattern(
                bytes: Array(bytes), anchored: anchored, directoryOnly: directoryOnly,
                takesBack: takesBack)
        }
    }

    var isEmpty: Bool { patterns.isEmpty }

    /// True if `relative` (below the component's path) is left out.
    func excludes(_ relative: [UInt8], isDirectory: Bool) -> Bool {
        guard !patterns.isEmpty else { return false }
        let name = relative.split(separator: UInt8(ascii: "/")).last ?? []
        var excluded = false
        for pattern in patterns where isDirectory || !pattern.directoryOnly {
            let subject = pattern.anchored ? relative[...] : name
            if Self.matches(pattern.bytes[...], subject) { excluded = !pattern.takesBack }
        }
        return excluded
    }

    static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        let slash = UInt8(ascii: "/")
        guard let first = pattern.first else { return text.isEmpty }
        switch first {
        case UInt8(ascii: "*"):
            let crosses = pattern.starts(with: [first, first])
            var rest = pattern.dropFirst(crosses ? 2 : 1)
            if crosses, rest.first == slash {
                rest = rest.dropFirst()
                if matches(rest, text) { return true }
                return text.indices.contains {
                    text[$0] == slash && matches(rest, text[($0 + 1)...])
                }
            }
            var end = text.startIndex
            while true {
                if matches(rest, text[end...]) { return true }
                guard end < text.endIndex, crosses || text[end] != slash else { return false }
                end += 1
            }
        case UInt8(ascii: "?"):
            guard let byte = text.first, byte != slash else { return false }
            return matches(pattern.dropFirst(), text.dropFirst())
        case UInt8(ascii: "["):
            guard let byte = text.first, byte != slash,
                let (set, rest) = characterClass(pattern)
            else { return false }
            return set(byte) && matches(rest, text.dropFirst())
        default:
            return text.first == first && matches(pattern.dropFirst(), text.dropFirst())
        }
    }

    private static func characterClass(
        _ pattern: ArraySlice<UInt8>
    ) -> ((UInt8) -> Bool, ArraySlice<UInt8>)? {
        var body = pattern.dropFirst()
        let inverted = body.first == UInt8(ascii: "!") || body.first == UInt8(ascii: "^")
        if inverted { body = body.dropFirst() }
        guard let end = body.dropFirst().firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let members = Array(body[..<end])
        return (
            { byte in
                var index = 0
                var found = false
                while index < members.count {
                    if index + 2 < members.count, members[index + 1] == UInt8(ascii: "-") {
                        found = found || (members[index] <= byte && byte <= members[index + 2])
                        index += 3
                    } else {
                        found = found || members[index] == byte
                        index += 1
                    }
                }
                return found != inverted
            }, body[(end + 1)...]
        )
    }
}
