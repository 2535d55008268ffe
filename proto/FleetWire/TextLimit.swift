/// Texts that travel are cut, with a word that they were, so that a message fits its frame.
extension String {
    /// Which part of a text that is too long is kept.
    package enum Part: Sendable { case beginning, end }

    /// The text if it takes at most `bytesMax` bytes as JSON, else the part of it that fits with
    /// the word `[cut]` where the rest was.
    package func cut(toJSONBytes bytesMax: Int, keeping part: Part = .beginning) -> String {
        if utf8.reduce(0, { $0 + Self.jsonBytes($1) }) <= bytesMax { return self }
        let room = max(0, bytesMax - Self.mark.utf8.count)
        switch part {
        case .beginning: return String(Self.fitting(unicodeScalars, room)) + Self.mark
        case .end:
            let end = Self.fitting(unicodeScalars.reversed(), room).reversed()
            return Self.mark + String(String.UnicodeScalarView(end))
        }
    }

    private static let mark = " [cut] "

    private static func fitting(
        _ scalars: some Sequence<Unicode.Scalar>, _ room: Int
    ) -> UnicodeScalarView {
        var kept = UnicodeScalarView()
        var left = room
        for scalar in scalars {
            left -= UTF8.encode(scalar)?.reduce(0) { $0 + jsonBytes($1) } ?? 0
            guard left >= 0 else { break }
            kept.append(scalar)
        }
        return kept
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
        let room = Swift.min(2048, share)
        return map { result in
            var result = result
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
