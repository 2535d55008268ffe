import FleetWire
import Glibc
import HostProcesses

/// What a validator may use while it looks; everything here ends at the check's deadline.
struct LookContext: Sendable {
    /// Paths of the host lie below this; `/` on a real host.
    let root: String
    /// What templates can name.
    let template: TemplateContext
    /// The check's timeout.
    let timeout: Milliseconds
    /// When it ends.
    let deadline: ContinuousClock.Instant

    init(root: String, template: TemplateContext, timeout: Milliseconds) {
        self.root = root
        self.template = template
        self.timeout = timeout
        deadline = ContinuousClock.now + timeout.duration
    }

    /// What is left of the timeout; at least 1 ms.
    var left: Milliseconds { Milliseconds(max(1, -Milliseconds(since: deadline).count)) }

    /// Runs `body`, which blocks, on a thread of its own. After the timeout the finding is unknown;
    /// the body sees its cancellation.
    func blocking(
        _ body: @escaping @Sendable (OwnThread.Cancellation) -> Finding
    ) async -> Finding {
        await OwnThread.run(within: left, body) ?? .late(timeout)
    }

    /// Runs a program in a process group of its own, which is ended at the deadline. `directory`
    /// is placed below the root already; `environment` is added to the minimal one.
    func run(
        _ argv: [String], environment: [String: String] = [:], directory: String? = nil,
        outputBytesMax: Int = 65536
    ) async -> ProcessRun.Result {
        do throws(TemplateError) {
            var run = try template.processRun(argv: argv, timeout: left)
            run.environment.merge(environment) { $1 }
            run.outputBytesMax = outputBytesMax
            if let directory { run.directory = directory }
            return await run.run()
        } catch {
            return ProcessRun.Result(
                ending: .notStarted(error.reason), output: [], took: .zero)
        }
    }

    /// A file of the system, such as `/proc/meminfo`: below the root if it is there, else the
    /// machine's own, which hosts that are folders share.
    func systemFile(_ path: String) -> String {
        guard let placed = try? HostPath.below(root, path), access(placed, F_OK) == 0 else {
            return path
        }
        return placed
    }

    /// A program of the system, such as `systemctl`: the root's own if it is there, else its name.
    func systemProgram(_ name: String) -> String {
        guard root != "", root != "/" else { return name }
        for folder in ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] {
            if let placed = try? HostPath.below(root, "\(folder)/\(name)"),
                access(placed, X_OK) == 0
            {
                return placed
            }
        }
        return name
    }
}

extension ProcessRun.Result {
    /// Its exit code, or the finding of a check whose program did not come so far.
    func exitCode(_ timeout: Milliseconds) -> (code: Int32?, finding: Finding) {
        switch ending {
        case .exited(let code): (code, .unknown("", ""))
        case .signalled(let signal):
            (nil, .fail("ended by signal \(signal)\(lastLine)", "run the program on the host"))
        case .timedOut: (nil, .late(timeout))
        case .cancelled: (nil, .unknown("cancelled", "run the check again"))
        case .outputTooLarge: (nil, .fail("it wrote too much", "run the program on the host"))
        case .notStarted(let why):
            (
                nil,
                .unknown("not started: \(why)", "install the program or correct the check")
            )
        }
    }

    /// `: ` and the last line of the output, redacted; empty without output.
    var lastLine: String {
        text.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(200))" } ?? ""
    }
}
