package import FleetWire

/// One run of a program: its own process group, TERM then KILL on timeout or cancellation, output
/// capped and kept.
package struct ProcessRun: Sendable {
    /// Program and arguments; never a shell.
    package var argv: [String]
    /// The whole environment.
    package var environment: [String: String]
    /// The working directory.
    package var directory: String
    /// TERM to the group after this.
    package var timeout: Milliseconds
    /// KILL to the group this long after TERM.
    package var grace = Milliseconds.seconds(5)
    /// The last bytes of output (stdout and stderr as they came) that are kept.
    package var outputBytesMax = 4096
    /// A run of these fields.
    package init(
        argv: [String], environment: [String: String], directory: String, timeout: Milliseconds
    ) {
        self.argv = argv
        self.environment = environment
        self.directory = directory
        self.timeout = timeout
    }

    /// How a run ended.
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
        case timedOut
        case cancelled
        /// It could not be started, and why.
        case notStarted(String)
    }

    /// What a run gave.
    package struct Result: Sendable, Hashable {
        /// How it ended.
        package var ending: Ending
        /// The last bytes of its output.
        package var output: [UInt8]
        /// How long it ran.
        package var took: Milliseconds
    }

    /// Runs it to its end without blocking a thread of the pool; never throws.
    /// Cancelling the task ends the process group.
    package func run() async -> Result {
        Result(ending: .notStarted(""), output: [], took: .zero)
    }

    /// The same, blocking the calling thread; for code that is synchronous.
    package func runBlocking() -> Result {
        Result(ending: .notStarted(""), output: [], took: .zero)
    }
}
