/// Bytes of files that a seed gives again, from any place on.
///
/// Text is lines of words out of a list, which zstd brings to about a half; the rest is random.
/// A large file that is half compressible changes between the two every 64 KiB.
struct FileContent {
    enum Kind {
        case text
        case random
        case alternating
    }

    /// Bytes that are made at once; places are cut here, so that each part has its own stream.
    static let partBytes = 64 << 10

    private let kind: Kind
    private let seed: UInt64
    private static let words = Self.makeWords()

    init(_ kind: Kind, seed: UInt64) {
        self.kind = kind
        self.seed = seed
    }

    /// Fills `room` with part `number` of the file; the room is as long as the part.
    func fill(_ room: UnsafeMutableRawBufferPointer, part number: Int) {
        var random = SeededRandom(seed: seed, stream: UInt64(number))
        let isText =
            switch kind {
            case .text: true
            case .random: false
            case .alternating: number.isMultiple(of: 2)
            }
        if isText { Self.fillText(room, &random) } else { Self.fillRandom(room, &random) }
    }

    private static func fillRandom(
        _ room: UnsafeMutableRawBufferPointer, _ random: inout SeededRandom
    ) {
        var offset = 0
        while offset + 8 <= room.count {
            room.storeBytes(of: random.next().littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        var last = random.next()
        while offset < room.count {
            room[offset] = UInt8(truncatingIfNeeded: last)
            last >>= 8
            offset += 1
        }
    }

    private static func fillText(
        _ room: UnsafeMutableRawBufferPointer, _ random: inout SeededRandom
    ) {
        var offset = 0
        var column = 0
        while offset < room.count {
            let word = words[random.below(words.count)]
            for byte in word where offset < room.count {
                room[offset] = byte
                offset += 1
            }
            column += word.count + 1
            guard offset < room.count else { return }
            room[offset] = column > 80 ? UInt8(ascii: "\n") : UInt8(ascii: " ")
            if column > 80 { column = 0 }
            offset += 1
        }
    }

    /// 512 words of 2 to 9 letters.
    private static func makeWords() -> [[UInt8]] {
        var random = SeededRandom(seed: 7)
        return (0..<512).map { _ in
            (0..<2 + random.below(8)).map { _ in UInt8(ascii: "a") + UInt8(random.below(26)) }
        }
    }
}
