/// A bar of blocks, `done` of `total`.
enum ProgressBar {
    static func text(done: Int, total: Int, columns: Int, style: Style, role: Style.Role) -> String
    {
        guard total > 0, columns > 0 else { return String(repeating: " ", count: max(0, columns)) }
        let filled = min(columns, max(0, done) * columns / total)
        return style.paint(String(repeating: style.symbol("━", "#"), count: filled), role)
            + style.paint(
                String(repeating: style.symbol("─", "."), count: columns - filled), .faint)
    }
}
