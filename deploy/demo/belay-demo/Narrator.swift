import Glibc

/// Tells on stdout what happens, line by line and at once.
enum Narrator {
    /// Longer lines of programs are cut: the whole stands in the logs.
    private static let columnsMax = 116

    /// Whether somebody watches: stdout is a terminal.
    static var isTerminal: Bool { isatty(1) == 1 }
    private static var hasColour: Bool { isTerminal && getenv("NO_COLOR") == nil }

    static func line(_ text: String) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    static func title(_ text: String) {
        line("")
        line(hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : "=== \(text)")
    }

    /// A command as an operator would type it.
    static func command(_ text: String) {
        line(hasColour ? "  \u{1B}[36m$ \(text)\u{1B}[0m" : "  $ \(text)")
    }

    /// What a program printed, moved to the right and cut.
    static func quote(_ lines: [String]) {
        for text in lines {
            line("    " + (text.count > columnsMax ? text.prefix(columnsMax - 1) + "…" : text))
        }
    }

    static func verdict(_ held: Bool) -> String {
        guard hasColour else { return held ? "held  " : "FAILED" }
        return held ? "\u{1B}[32mheld  \u{1B}[0m" : "\u{1B}[31mFAILED\u{1B}[0m"
    }

    /// Gives the cursor back, which a watching command that was ended may have hidden.
    static func showCursor() {
        if isTerminal { _ = "\u{1B}[?25h".withCString { write(1, $0, strlen($0)) } }
    }
}
