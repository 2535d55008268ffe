import Glibc

/// Finds secrets that stand in clear: those that `Redactor` knows, without values that only say where
/// a secret comes from, and random words.
package enum SecretScan {
    /// What gave a secret away.
    package enum Kind: String, Sendable, Hashable {
        case value = "the value of a secret key"
        case privateKey = "a private key"
        case randomWord = "a random word"
    }

    /// Bits of entropy for each byte from which a long word of letters is more than a name, and how
    /// long it must be: a random word in base 64 has up to 6, hexadecimal digits up to 4, English
    /// under 3.
    private static let entropyMin = 3.5
    private static let randomBytesMin = 20
    /// Shorter words are not taken for random ones without a key that says so.
    private static let wordBytesMin = 24

    /// The lines of `text` that hold a secret, from 1, each once for each kind. With `entropyMin`
    /// also words that are too random, in bits for each byte.
    package static func lines(
        in text: ArraySlice<UInt8>, entropyMin: Double? = nil
    ) -> [(line: Int, kind: Kind)] {
        var found = Redactor.findings(in: text).compactMap { finding -> (line: Int, kind: Kind)? in
            guard let value = finding.value else { return (finding.line, .privateKey) }
            return isSecret(value) ? (finding.line, .value) : nil
        }
        guard let entropyMin else { return found }
        var number = 0
        for line in text.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            if found.contains(where: { $0.line == number }) { continue }
            let words = line.split { !isWordByte($0) }
            if words.contains(where: { isRandom($0, entropyMin) }) {
                found.append((number, .randomWord))
            }
        }
        return found.sorted { ($0.line, $0.kind.rawValue) < ($1.line, $1.kind.rawValue) }
    }

    /// True unless a value only says where the secret comes from, or that there is none.
    package static func isSecret(_ value: [UInt8]) -> Bool {
        let text = String(decoding: value, as: UTF8.self)
        let references = ["$", "{", "<", "%", "@", "/", "env:", "file:", "vault:", "*", "["]
        if references.contains(where: text.hasPrefix) { return false }
        let words = ["null", "none", "nil", "true", "false", "yes", "no", "changeme", "required"]
        if words.contains(text.lowercased()) || value.count < 4 { return false }
        // `password: see the wiki` or `token = tokens` is prose; a word of letters alone is one only
        // if it is too random for that.
        guard value.allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }) else { return true }
        return value.count >= randomBytesMin && entropy(value[...]) >= entropyMin
    }

    /// A long word of small and capital letters and digits; hexadecimal digits, which digests are
    /// made of, never have enough entropy.
    private static func isRandom(_ word: ArraySlice<UInt8>, _ entropyMin: Double) -> Bool {
        guard word.count >= wordBytesMin, word.contains(where: { (0x30...0x39).contains($0) }),
            word.contains(where: { (0x41...0x5A).contains($0) }),
            word.contains(where: { (0x61...0x7A).contains($0) })
        else { return false }
        return entropy(word) >= entropyMin
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    /// Shannon's entropy in bits for each byte.
    package static func entropy(_ bytes: ArraySlice<UInt8>) -> Double {
        var counts: [UInt8: Int] = [:]
        for byte in bytes { counts[byte, default: 0] += 1 }
        let total = Double(bytes.count)
        return counts.values.reduce(0) { sum, count in
            let share = Double(count) / total
            return sum - share * log2(share)
        }
    }
}
