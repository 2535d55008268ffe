/// Why the agent cannot do something, with what to do about it and how the process exits.
package struct AgentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was attempted, on what, and why it failed.
    package var reason: String
    /// What an operator can do.
    package var remedy: String?
    /// The exit code, as in docs/reference/exit-codes.md.
    package var exitCode: Int32

    /// An error of these fields.
    package init(_ reason: String, remedy: String? = nil, exitCode: Int32 = 1) {
        self.reason = reason
        self.remedy = remedy
        self.exitCode = exitCode
    }

    /// For a terminal: the reason, and the remedy on a line of its own as `belay` shows it.
    package var lines: String { reason + (remedy.map { "\n  try: \($0)" } ?? "") }

    /// Reason and remedy.
    package var description: String { remedy.map { "\(reason); \($0)" } ?? reason }
}
