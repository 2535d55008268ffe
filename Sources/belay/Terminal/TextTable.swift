/// A table for people: columns as wide as what they hold, two spaces between them.
struct TextTable {
    struct Column {
        var title: String
        /// Numbers stand at the right.
        var right = false
        /// Never narrower, so that tables that are drawn again and again stand still.
        var least = 0
        /// Gives way when the table is wider than the terminal.
        var flexible = false
    }

    var columns: [Column]
    var rows: [[String]] = []

    init(
        _ titles: [String], right: Set<String> = [], flexible: Set<String> = [],
        least: [String: Int] = [:]
    ) {
        columns = titles.map {
            Column(
                title: $0, right: right.contains($0), least: least[$0] ?? 0,
                flexible: flexible.contains($0))
        }
    }

    /// The header and the rows; without rows, only `empty`.
    func lines(style: Style, width: Int? = nil, indent: String = "", empty: String? = nil)
        -> [String]
    {
        if rows.isEmpty, let empty { return [indent + style.paint(empty, .faint)] }
        var widths = columns.indices.map { index in
            let cells = rows.map { index < $0.count ? Self.inOneLine($0[index]) : "" }
            return max(
                columns[index].least,
                ([columns[index].title] + cells).map(DisplayWidth.of).max() ?? 0)
        }
        if let width { shrink(&widths, to: width - DisplayWidth.of(indent)) }
        let header = line(columns.map(\.title), widths)
        return [indent + style.paint(header, .faint)] + rows.map { indent + line($0, widths) }
    }

    private func shrink(_ widths: inout [Int], to width: Int) {
        var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
        let order = columns.indices.filter { columns[$0].flexible }.reversed()
        for index in order where excess > 0 {
            let floor = max(8, DisplayWidth.of(columns[index].title))
            let given = min(excess, max(0, widths[index] - floor))
            widths[index] -= given
            excess -= given
        }
    }

    /// A line feed in a cell would begin a line that looks like a row.
    private static func inOneLine(_ cell: String) -> String {
        guard cell.contains(where: \.isNewline) else { return cell }
        return cell.split(whereSeparator: \.isNewline).joined(separator: "⏎")
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = columns.indices.map { index in
            let cell = index < cells.count ? Self.inOneLine(cells[index]) : ""
            let text = DisplayWidth.cut(cell, to: widths[index])
            return DisplayWidth.pad(text, to: widths[index], right: columns[index].right)
        }
        var line = padded.joined(separator: "  ")
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}
