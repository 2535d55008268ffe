/// What was read from a file.
struct Document: Sendable {
    /// A stream of YAML can hold several; all other formats hold one.
    var values: [DocumentValue]
    /// What is allowed, but read differently by different programs.
    var doubts: [DocumentError] = []
}

/// Why a file cannot be read, or why it is in doubt. It never repeats a value, which may be a
/// secret.
struct DocumentError: Error, Sendable, Hashable {
    /// From 1; the column counts bytes.
    var line: Int
    var column: Int?
    var reason: String
    /// True if a limit of ours was met: the file may be right.
    var isLimit = false

    /// `line 3, column 7: a comma is missing`.
    var text: String { "line \(line)" + (column.map { ", column \($0)" } ?? "") + ": \(reason)" }
}

/// Limits that keep readers safe from files that were made to hurt.
enum DocumentLimits {
    /// Readers are recursive; their threads have 8 MiB of stack.
    static let nestingMax = 100
    /// Aliases of YAML can stand for exponentially many values.
    static let valuesMax = 1 << 20
}
