/// Bytes that are read from front to back.
struct DocumentCursor {
    let bytes: [UInt8]
    private(set) var index = 0
    private(set) var line = 1
    private var lineStart = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var peek: UInt8? { index < bytes.count ? bytes[index] : nil }
    var isAtEnd: Bool { index == bytes.count }

    /// The byte `offset` behind the next.
    func peek(_ offset: Int) -> UInt8? {
        index + offset < bytes.count ? bytes[index + offset] : nil
    }

    func starts(with text: String) -> Bool { bytes[index...].starts(with: text.utf8) }

    mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] == 0x0A {
                line += 1
                lineStart = index + 1
            }
            index += 1
        }
    }

    /// Steps over `byte` if it is next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        advance()
        return true
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        take(UInt8(ascii: character))
    }

    /// All bytes from here that `isWanted`.
    mutating func takeAll(_ isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = index
        while let byte = peek, isWanted(byte) { advance() }
        return bytes[start..<index]
    }

    func failure(_ reason: String, isLimit: Bool = false) -> DocumentError {
        DocumentError(
            line: line, column: index - lineStart + 1, reason: reason, isLimit: isLimit)
    }

    /// The first bytes that are not UTF-8, if there are some.
    static func notUTF8(_ bytes: [UInt8]) -> DocumentError? {
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        // Halves the place of the first fault; a boundary inside of a character is no fault.
        var (low, high) = (0, bytes.count)
        while low < high {
            let middle = (low + high + 1) / 2
            var end = middle
            while end < bytes.count, bytes[end] & 0xC0 == 0x80, end - middle < 4 { end += 1 }
            if String(validating: bytes[..<end], as: UTF8.self) != nil {
                low = middle
            } else {
                high = middle - 1
            }
        }
        var cursor = DocumentCursor(bytes)
        cursor.advance(low)
        return cursor.failure("it is not UTF-8")
    }
}
