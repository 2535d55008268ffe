/// Text from hosts and operators for terminals and logs: nothing in it can steer them.
///
/// Control characters move the cursor, recolour, retitle and forge lines; characters that turn the
/// direction of writing make text read as something else. All of them become visible.
package enum PlainText {
    /// The text with every control character but line feed and tab made visible.
    package static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { shown(for: $0.value) != nil }) else {
            return text
        }
        return mapped(text) { shown(for: $0.value) }
    }

    /// The same as one line: line feeds become `⏎`, tabs become spaces.
    package static func line(_ text: String) -> String {
        let steers: (Unicode.Scalar) -> Unicode.Scalar? = {
            switch $0.value {
            case 0x0A, 0x2028, 0x2029: "\u{23CE}"
            case 0x09: " "
            default: shown(for: $0.value)
            }
        }
        guard text.unicodeScalars.contains(where: { steers($0) != nil }) else { return text }
        return mapped(text, steers)
    }

    /// What stands for a scalar that must not reach a terminal; nil for all others. Below U+0020 it
    /// is the scalar's picture (U+2400 and on), else U+FFFD.
    package static func shown(for scalar: UInt32) -> Unicode.Scalar? {
        switch scalar {
        case 0x09, 0x0A: nil
        case 0x00..<0x20: Unicode.Scalar(0x2400 + scalar)
        case 0x7F: "\u{2421}"
        case 0x80...0x9F, 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
        default: nil
        }
    }

    private static func mapped(
        _ text: String, _ change: (Unicode.Scalar) -> Unicode.Scalar?
    ) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(change(scalar) ?? scalar) }
        return String(result)
    }
}
