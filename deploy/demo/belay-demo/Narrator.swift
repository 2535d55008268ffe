import Glibc

/// Tells on stdout what happens, line by line and at once.
enum Narrator {
    private static var isTerminal: Bool { isatty(1) == 1 && getenv("NO_COLOR") == nil }

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
        line(isTerminal ? "\u{1B}[1m\(text)\u{1B}[0m" : "=== \(text)")
    }

    /// What a program printed, at most `most` lines, moved to the right.
    static func quote(_ text: String, most: Int = 40) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for part in lines.prefix(most) where !part.isEmpty { line("    \(part)") }
        if lines.count > most { line("    … \(lines.count - most) lines more") }
    }

    static func verdict(_ held: Bool) -> String {
        guard isTerminal else { return held ? "held  " : "FAILED" }
        return held ? "\u{1B}[32mheld  \u{1B}[0m" : "\u{1B}[31mFAILED\u{1B}[0m"
    }
}
