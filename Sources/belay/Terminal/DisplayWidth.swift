/// How many columns text takes on a terminal; escape sequences take none.
enum DisplayWidth {
    static func of(_ text: String) -> Int {
        var width = 0
        walk(text) { _, columns in
            width += columns
            return true
        }
        return width
    }

    /// `text` cut to `columns`, the last of them an ellipsis if anything was cut; colours are closed.
    static func cut(_ text: String, to columns: Int, ellipsis: String = "…") -> String {
        guard of(text) > columns else { return text }
        guard columns > of(ellipsis) else { return String(repeating: " ", count: max(0, columns)) }
        var kept = ""
        var width = 0
        var painted = false
        walk(text) { piece, piecesColumns in
            guard width + piecesColumns <= columns - of(ellipsis) else { return false }
            if piecesColumns == 0, piece.hasPrefix("\u{1B}") { painted = true }
            kept += piece
            width += piecesColumns
            return true
        }
        return kept + ellipsis + (painted ? "\u{1B}[0m" : "")
    }

    static func pad(_ text: String, to columns: Int, right: Bool = false) -> String {
        let missing = max(0, columns - of(text))
        let space = String(repeating: " ", count: missing)
        return right ? space + text : text + space
    }

    /// `text` in lines of at most `columns`, broken between words where there are any.
    static func wrap(_ text: String, to columns: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if line.isEmpty {
                line = String(word)
            } else if of(line) + 1 + of(String(word)) <= columns {
                line += " " + word
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines.map { cut($0, to: max(1, columns)) }
    }

    /// Gives each character, or each escape sequence as a whole, with its columns.
    private static func walk(_ text: String, _ visit: (String, Int) -> Bool) {
        var rest = text[...]
        while let character = rest.first {
            if character == "\u{1B}", let end = rest.firstIndex(of: "m") {
                guard visit(String(rest[...end]), 0) else { return }
                rest = rest[rest.index(after: end)...]
            } else {
                guard visit(String(character), columns(of: character)) else { return }
                rest = rest.dropFirst()
            }
        }
    }

    private static func columns(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        if scalar.value < 0x20 || scalar.value == 0x7F { return 0 }
        if scalar.properties.generalCategory == .nonspacingMark { return 0 }
        let isWide =
            scalar.properties.isEmojiPresentation
            || wide.contains { $0.contains(scalar.value) }
        return isWide ? 2 : 1
    }

    /// The blocks of Unicode TR 11 whose characters are wide.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x20000...0x3FFFD,
    ]
}
