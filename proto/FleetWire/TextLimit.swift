/// Texts that travel are cut, with a word that they were, so that a message fits its frame.
extension String {
    /// Which part of a text that is too long is kept.
    package enum Part: Sendable { case beginning, end }

    /// The text if it takes at most `bytesMax` bytes as JSON, else the part of it that fits with
    /// the word `[cut]` where the rest was.
    package func cut(toJSONBytes bytesMax: Int, keeping part: Part = .beginning) -> String {
        if Self.fitting(utf8, bytesMax) == utf8.count { return self }
        let room = bytesMax - Self.mark.utf8.count
        let bytes = Array(utf8)
        switch part {
        case .beginning:
            var end = Self.fitting(bytes, room)
            while end > 0, Self.isInside(bytes[end]) { end -= 1 }
            return String(decoding: bytes[..<end], as: UTF8.self) + Self.mark
        case .end:
            var start = bytes.count - Self.fitting(bytes.reversed(), room)
            while start < bytes.count, Self.isInside(bytes[start]) { start += 1 }
            return Self.mark + String(decoding: bytes[start...], as: UTF8.self)
        }
    }

    private static let mark = " [cut] "

    /// True for the second and later bytes of a character (RFC 3629).
    private static func isInside(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// How many of the bytes fit into `room` bytes of JSON.
    private static func fitting(_ bytes: some Sequence<UInt8>, _ room: Int) -> Int {
        var left = room
        var count = 0
        for byte in bytes {
            left -= jsonBytes(byte)
            if left < 0 { break }
            count += 1
        }
        return count
    }

    /// Control bytes become `\u00XX`, quotes and backslashes get a backslash (RFC 8259, section 7).
    private static func jsonBytes(_ byte: UInt8) -> Int {
        switch byte {
        case 0..<0x20, 0x7F: 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): 2
        default: 1
        }
    }
}

extension [CheckResult] {
    /// The results with texts cut so that all of them take at most half of a frame, whatever the
    /// checks said; none is left out.
    package func fittingFrame() -> [CheckResult] {
        let share = FrameLimits.v1.payloadBytesMax / 4 / Swift.max(1, count)
        let room = Swift.min(2048, share / 4)
        return map { result in
            var result = result
            result.threshold = result.threshold?.cut(toJSONBytes: room)
            // Of very many checks only what is measured and what to do is kept.
            let hasRoom = share >= 8192
            result.evidence = hasRoom ? result.evidence?.fitting(jsonBytes: room) : nil
            result.parameters =
                hasRoom ? result.parameters.map { [ShownParameter]($0.prefix(8)) } : nil
            result.measured = result.measured.cut(toJSONBytes: room)
            result.remedy = result.remedy?.cut(toJSONBytes: room)
            return result
        }
    }
}

extension [String] {
    /// The lines that take at most `bytesMax` bytes as JSON, and a last one that says how many
    /// were left out.
    package func fitting(jsonBytes bytesMax: Int) -> [String] {
        var kept: [String] = []
        var left = bytesMax
        for line in self {
            let short = line.cut(toJSONBytes: 8192)
            left -= short.utf8.count * 2 + 4
            guard left >= 0 else {
                return kept + ["[cut] \(count - kept.count) more are left out"]
            }
            kept.append(short)
        }
        return kept
    }
}
