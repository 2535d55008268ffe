/// Fields of an encoded entry, read where they stand: the format's table in "Catalogue". For bytes
/// that this process encoded or whose digest was checked.
struct EntryView {
    private let bytes: UnsafeRawBufferPointer

    /// `bytes` without the length before them; they must outlive this.
    init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= Self.bytesMin, "an entry is longer")
        self.bytes = bytes
    }

    /// Where the flags stand.
    static let flagsOffset = 1
    private static let pathStart = 46
    /// An entry with nothing in its counted fields.
    static let bytesMin = 58

    /// Nil for a kind that is not known here.
    var kind: Entry.Kind? { Entry.Kind(rawValue: bytes[0]) }
    var flags: UInt8 { bytes[Self.flagsOffset] }
    var mode: UInt32 { number(2) }
    var seconds: Int64 { number(14) }
    var nanoseconds: UInt32 { number(22) }
    var size: UInt64 { number(26) }
    var path: UnsafeRawBufferPointer { counted(Self.pathStart - 4) }
    var target: UnsafeRawBufferPointer { counted(Self.pathStart + path.count) }

    /// Calls `body` with each chunk, while it says true.
    func chunks(_ body: (ObjectID) throws -> Bool) rethrows -> Bool {
        var position = Self.pathStart + path.count
        position += 4 + target.count
        let attributes: UInt32 = number(position)
        position += 4
        for _ in 0..<attributes {
            for _ in 0..<2 { position += 4 + counted(position).count }
        }
        let count: UInt32 = number(position)
        guard let base = bytes.baseAddress, Int(count) <= (bytes.count - position - 4) / 32 else {
            return false
        }
        for index in 0..<Int(count) {
            guard try body(ObjectID(loading: base + position + 4 + index * 32)) else {
                return false
            }
        }
        return true
    }

    private func number<Number: FixedWidthInteger>(_ offset: Int) -> Number {
        guard offset <= bytes.count - MemoryLayout<Number>.size else { return 0 }
        return Number(
            littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    private func counted(_ offset: Int) -> UnsafeRawBufferPointer {
        let count = Int(number(offset) as UInt32)
        guard offset + 4 <= bytes.count, count <= bytes.count - offset - 4 else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[offset + 4..<offset + 4 + count])
    }
}
