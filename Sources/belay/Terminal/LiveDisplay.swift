/// Draws frames in place, below what was printed before, and leaves the last one standing.
struct LiveDisplay {
    let console: Console
    private var drawn = 0

    init(console: Console) { self.console = console }

    mutating func draw(_ lines: [String]) {
        guard let size = console.size else { return }
        var text = drawn == 0 ? "\u{1B}[?25l" : "\u{1B}[\(drawn)A\r"
        for line in lines.prefix(size.height - 1) {
            text += DisplayWidth.cut(line, to: size.width - 1) + "\u{1B}[K\n"
        }
        text += "\u{1B}[J"
        drawn = min(lines.count, size.height - 1)
        console.write(text)
    }

    /// Gives the cursor back.
    mutating func end() {
        if drawn > 0 { console.write("\u{1B}[?25h") }
        drawn = 0
    }
}
