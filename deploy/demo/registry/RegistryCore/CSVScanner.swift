/// Reads one CSV record after the other out of bytes.
struct CSVScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    /// The line on which the last record began, from 1.
    private(set) var recordLine = 1

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next record; nil at the end. Empty lines between records are skipped.
    mutating func next() throws(RegistryProblem) -> [String]? {
        skipEmptyLines()
        guard position < bytes.count else { return nil }
        recordLine = line
        var fields: [String] = []
        while true {
            fields.append(try field())
            guard position < bytes.count else { return fields }
            if bytes[position] == UInt8(ascii: ",") {
                position += 1
                continue
            }
            endLine()
            return fields
        }
    }

    private mutating func skipEmptyLines() {
        while position < bytes.count, isLineEnd(bytes[position]) { endLine() }
    }

    private mutating func endLine() {
        if bytes[position] == UInt8(ascii: "\r") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "\n") { position += 1 }
        } else {
            position += 1
        }
        line += 1
    }

    private mutating func field() throws(RegistryProblem) -> String {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            return try plainField()
        }
        return try quotedField()
    }

    private mutating func plainField() throws(RegistryProblem) -> String {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: ",") || isLineEnd(byte) { break }
            guard byte != UInt8(ascii: "\"") else {
                throw RegistryProblem(
                    .invalid, "CSV line \(line): a quote inside a field that is not quoted")
            }
            position += 1
        }
        return try text(Array(bytes[start..<position]))
    }

    private mutating func quotedField() throws(RegistryProblem) -> String {
        let opened = line
        var collected: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "\"") else {
                if byte == UInt8(ascii: "\n") { line += 1 }
                collected.append(byte)
                continue
            }
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                collected.append(byte)
                position += 1
                continue
            }
            let ended =
                position == bytes.count || bytes[position] == UInt8(ascii: ",")
                || isLineEnd(bytes[position])
            guard ended else {
                throw RegistryProblem(
                    .invalid, "CSV line \(line): text after the closing quote of a field")
            }
            return try text(collected)
        }
        throw RegistryProblem(.invalid, "CSV line \(opened): a quoted field is never closed")
    }

    private func text(_ bytes: [UInt8]) throws(RegistryProblem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RegistryProblem(.invalid, "CSV line \(line): a field is not UTF-8")
        }
        return text
    }

    private func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
