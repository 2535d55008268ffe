/// Which lines of a command's output tell what happened; the rest stays in the logs.
struct Excerpt: Sendable {
    /// How many lines are shown.
    let most: Int
    /// Whether a line tells something.
    let tells: @Sendable (String) -> Bool

    /// Nothing but the exit code.
    static let none = Excerpt(most: 0) { _ in false }

    /// The first lines.
    static func first(_ most: Int) -> Excerpt { Excerpt(most: most) { _ in true } }

    /// Lines that hold one of the texts.
    static func holding(_ texts: String..., most: Int = 20) -> Excerpt {
        Excerpt(most: most) { line in texts.contains { line.contains($0) } }
    }

    /// The lines of `text` that are shown, and how many are not.
    func cut(_ text: String) -> (shown: [String], left: Int) {
        let lines = text.split(separator: "\n").map(String.init)
        let shown = lines.filter(tells).prefix(most)
        return (Array(shown), lines.count - shown.count)
    }
}
