/// Takes secrets out of text that is kept or shown: values of keys such as `password` or `token`,
/// `Authorization` headers, bearer tokens, AWS keys, PEM private keys, and passwords in URLs.
package enum Redactor {
    private static let mark = Array("[redacted]".utf8)
    private static let keys = [
        "password", "passwd", "passphrase", "secret", "token", "api_key", "api-key", "apikey",
        "access_key", "accesskey", "private_key", "credential", "credentials", "authorization",
    ].map { Array($0.utf8) }

    /// `text` with every secret that is recognised replaced by `[redacted]`. Lines stay lines.
    package static func redact(_ text: String) -> String {
        var lines: [[UInt8]] = []
        var inKey = false
        for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            let bytes = Array(line)
            if contains(bytes, "-----END ") && contains(bytes, "PRIVATE KEY-----") {
                // Without a beginning the top of the key was cut off by the output's cap.
                if !inKey { lines = lines.map { _ in mark } }
                inKey = false
                lines.append(mark)
            } else if contains(bytes, "-----BEGIN ") && contains(bytes, "PRIVATE KEY-----") {
                inKey = true
                lines.append(mark)
            } else {
                lines.append(inKey ? mark : redactLine(bytes))
            }
        }
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    private static func redactLine(_ line: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var index = 0
        while index < line.count {
            // What is redacted already stays as it is, so that redacting twice changes nothing.
            if let value = secret(in: line, at: index),
                !line[value.lowerBound...].starts(with: mark)
            {
                out += line[index..<value.lowerBound] + mark
                index = value.upperBound
            } else {
                out.append(line[index])
                index += 1
            }
        }
        return out
    }

    /// The range of the secret value that a word beginning at `index` announces.
    private static func secret(in line: [UInt8], at index: Int) -> Range<Int>? {
        if let key = keys.first(where: { matches(line, index, $0) }) {
            return value(in: line, after: index + key.count, start: index, key: key)
        }
        if matches(line, index, Array("bearer ".utf8)), index == 0 || !isWord(line[index - 1]) {
            return nonEmpty(wordEnd(line, index + 7), from: index + 7)
        }
        if matches(line, index, Array("akia".utf8)) || matches(line, index, Array("asia".utf8)) {
            let end = wordEnd(line, index)
            if end - index == 20, line[index..<end].allSatisfy({ isUpperOrDigit($0) }) {
                return index..<end
            }
        }
        if line[index...].starts(with: "://".utf8) { return password(in: line, after: index + 3) }
        return nil
    }

    private static func value(
        in line: [UInt8], after end: Int, start: Int, key: [UInt8]
    ) -> Range<Int>? {
        var index = end
        while index < line.count, isQuote(line[index]) { index += 1 }
        let blank = index
        while index < line.count, line[index] == 0x20 { index += 1 }
        guard index < line.count else { return nil }
        if line[index] == UInt8(ascii: "=") || line[index] == UInt8(ascii: ":") {
            index += 1
            while index < line.count, line[index] == 0x20 { index += 1 }
        } else {
            // `--password VALUE` of a command line.
            guard index > blank, isOption(line, start) else { return nil }
        }
        if key == Array("authorization".utf8) { return nonEmpty(line.count, from: index) }
        guard index < line.count else { return nil }
        if isQuote(line[index]) {
            let close = line[(index + 1)...].firstIndex(of: line[index]) ?? line.count
            return nonEmpty(close, from: index + 1)
        }
        return nonEmpty(wordEnd(line, index), from: index)
    }

    /// The password of `user:password@`, from the end of `://`.
    private static func password(in line: [UInt8], after start: Int) -> Range<Int>? {
        let stop = line[start...].firstIndex { $0 <= 0x20 || $0 == 0x2F || isQuote($0) }
        let authority = line[start..<(stop ?? line.count)]
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")),
            let colon = authority[..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return nonEmpty(at, from: colon + 1)
    }

    private static func isOption(_ line: [UInt8], _ start: Int) -> Bool {
        var index = start
        while index > 0, isWord(line[index - 1]) { index -= 1 }
        return line[index...].starts(with: "--".utf8)
    }

    private static func nonEmpty(_ end: Int, from start: Int) -> Range<Int>? {
        end > start ? start..<end : nil
    }

    private static func wordEnd(_ line: [UInt8], _ start: Int) -> Int {
        guard start < line.count else { return start }
        let stops = Array(",;&\"')}]".utf8)
        return line[start...].firstIndex { $0 <= 0x20 || stops.contains($0) } ?? line.count
    }

    private static func matches(_ line: [UInt8], _ index: Int, _ word: [UInt8]) -> Bool {
        guard index + word.count <= line.count else { return false }
        for offset in 0..<word.count where lower(line[index + offset]) != word[offset] {
            return false
        }
        return true
    }

    private static func contains(_ line: [UInt8], _ text: String) -> Bool {
        let text = Array(text.utf8)
        guard line.count >= text.count else { return false }
        return (0...(line.count - text.count)).contains { line[$0...].starts(with: text) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte + 32 : byte
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 }

    private static func isUpperOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isUpperOrDigit(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte == 0x2D
    }
}

extension Redactor {
    /// One secret that `redact` would take out.
    package struct Finding: Sendable, Hashable {
        /// Its line, from 1.
        package var line: Int
        /// The secret itself, never to be shown; nil for a private key.
        package var value: [UInt8]?
    }

    /// The secrets in a text: one for each value, and one for each private key at its first line.
    package static func findings(in text: ArraySlice<UInt8>) -> [Finding] {
        var findings: [Finding] = []
        var number = 0
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let line = Array(line)
            if contains(line, "-----BEGIN ") && contains(line, "PRIVATE KEY-----") {
                findings.append(Finding(line: number, value: nil))
                continue
            }
            var index = 0
            while index < line.count {
                guard let value = secret(in: line, at: index) else {
                    index += 1
                    continue
                }
                if !line[value.lowerBound...].starts(with: mark) {
                    findings.append(Finding(line: number, value: Array(line[value])))
                }
                index = max(index + 1, value.upperBound)
            }
        }
        return findings
    }
}
