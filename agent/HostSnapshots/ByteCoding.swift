/// Little-endian numbers and counted bytes, as the format's binary parts hold them.
extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(counted bytes: [UInt8]) {
        append(number: UInt32(bytes.count))
        append(contentsOf: bytes)
    }
}

/// Reads what was appended that way; never past the end.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        let part = try take(MemoryLayout<Number>.size)
        var value: Number = 0
        for byte in part.reversed() {
            value =
                (MemoryLayout<Number>.size == 1 ? 0 : value << 8) | Number(truncatingIfNeeded: byte)
        }
        return value
    }

    mutating func counted() throws -> [UInt8] { Array(try take(Int(number(UInt32.self)))) }

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - position else {
            throw PointError.damaged("an entry of a catalogue", "it ends too early")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func objectID() throws -> ObjectID {
        try take(32).withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("32 bytes") }
            return ObjectID(loading: start)
        }
    }
}
