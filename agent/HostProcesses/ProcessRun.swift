package import FleetWire
import Glibc

/// One run of a program: its own process group, TERM then KILL on timeout or cancellation, output
/// capped and kept.
///
/// A program that exits by itself may leave processes behind (a service that was started); they are
/// left alone. The whole group is ended only on timeout and cancellation.
package struct ProcessRun: Sendable {
    /// Where programs that are named without a slash are looked for, and PATH of every run.
    package static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Program and arguments; never a shell. A program without a slash is looked for in `path`.
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
    /// Its standard input; /dev/null if nil. The caller keeps it open until the run ended.
    package var standardInput: Int32?
    /// A file that its standard output goes to, apart from the output that is kept, which then is
    /// its standard error alone. The caller keeps it open until the run ended.
    package var standardOutput: Int32?
    /// The group is ended once that file holds more bytes.
    package var standardOutputBytesMax = Int.max
    /// Told the process group's id before the program begins: it begins only once this returned,
    /// and never if this process dies before.
    package var onStart: (@Sendable (Int32) -> Void)?
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
        /// Its standard output grew beyond what it may.
        case outputTooLarge
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
        /// A result of these fields.
        package init(ending: Ending, output: [UInt8], took: Milliseconds) {
            self.ending = ending
            self.output = output
            self.took = took
        }

        /// The output as text, redacted; bytes that are not UTF-8 are replaced.
        package var text: String { Redactor.redact(String(decoding: output, as: UTF8.self)) }
    }

    /// Runs it to its end without blocking a thread of the pool; never throws.
    /// Cancelling the task ends the process group.
    package func run() async -> Result {
        await OwnThread.run { cancellation in run { cancellation.isCancelled } }
    }

    /// The same, blocking the calling thread; for code that is synchronous.
    package func runBlocking(_ cancellation: OwnThread.Cancellation? = nil) -> Result {
        run { cancellation?.isCancelled ?? false }
    }

    /// The same; the process group is ended once `isCancelled` says so, which is asked all the time.
    package func runBlocking(until isCancelled: () -> Bool) -> Result { run(isCancelled) }

    private func run(_ isCancelled: () -> Bool) -> Result {
        let begun = ContinuousClock.now
        if isCancelled() { return Result(ending: .cancelled, output: [], took: .zero) }
        switch ProcessStart.start(self) {
        case .failure(let failure):
            return Result(
                ending: .notStarted(failure.reason), output: [],
                took: Milliseconds(since: begun))
        case .success(let started):
            if let onStart, let gate = started.gate {
                onStart(started.pid)
                gate.open()
                gate.close()
            }
            var watch = ProcessWatch(run: self, started: started, begun: begun)
            let ending = watch.finish(isCancelled)
            return Result(
                ending: ending, output: watch.output, took: Milliseconds(since: begun))
        }
    }
}

extension Milliseconds {
    /// The whole milliseconds that passed since `begun`.
    package init(since begun: ContinuousClock.Instant) {
        let (seconds, attoseconds) = (ContinuousClock.now - begun).components
        self.init(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
