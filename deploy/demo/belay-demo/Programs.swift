import Glibc
import Synchronization

/// Starts programs for the demo and ends those that outlive it.
final class Programs: Sendable {
    /// How a program ended, with what it printed.
    struct Outcome: Sendable {
        var code: Int32
        var output: String
        var errors: String
    }

    /// A program that was started and will end by itself.
    struct Running: Sendable {
        fileprivate let child: ChildProcess
        /// Where its output lies, without `.out` and `.err`.
        let output: String
    }

    private let layout: DemoLayout
    private let running = Mutex<[ChildProcess]>([])
    private let counter = Atomic<Int>(0)

    init(layout: DemoLayout) { self.layout = layout }

    /// Starts a program that stays; it is ended with the demo.
    func start(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try start(
            name, arguments, environment: environment, output: "\(layout.logs)/\(name).log",
            errors: .joined)
    }

    /// Starts a program that will end by itself; `finish` waits for it. With `isLive` its errors
    /// and progress go to the terminal.
    func begin(
        _ name: String, _ arguments: [String], environment: [String: String] = [:],
        isLive: Bool = false
    ) throws -> Running {
        let number = counter.add(1, ordering: .relaxed).newValue
        let output = "\(layout.logs)/\(number)-\(name)"
        let child = try start(
            name, arguments, environment: environment, output: output + ".out",
            errors: isLive ? .inherited : .file(output + ".err"))
        return Running(child: child, output: output)
    }

    /// Waits until a program has ended; ends it by force after `seconds`.
    func finish(
        _ program: Running, seconds: Int, keepsOutput: Bool = true
    ) async throws -> Outcome {
        let code = try await program.child.wait(seconds: seconds)
        running.withLock { $0.removeAll { $0.pid == program.child.pid } }
        let outcome = Outcome(
            code: code, output: TextFile.read(program.output + ".out") ?? "",
            errors: TextFile.read(program.output + ".err") ?? "")
        if !keepsOutput, code == 0 {
            unlink(program.output + ".out")
            unlink(program.output + ".err")
        }
        return outcome
    }

    /// Runs a program to its end. Without `keepsOutput` nothing stays in the logs if it ends with 0.
    func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:],
        keepsOutput: Bool = true, seconds: Int = 120
    ) async throws -> Outcome {
        let program = try begin(name, arguments, environment: environment)
        return try await finish(program, seconds: seconds, keepsOutput: keepsOutput)
    }

    /// Runs a program that must end with 0.
    func runToSuccess(_ name: String, _ arguments: [String]) async throws -> String {
        let outcome = try await run(name, arguments)
        guard outcome.code == 0 else {
            throw DemoFailure(
                "`\(arguments.joined(separator: " "))` ended with \(outcome.code): "
                    + outcome.errors + outcome.output)
        }
        return outcome.output
    }

    /// Ends everything that still runs, the last started first.
    func stopAll() {
        for child in running.withLock({ $0 }).reversed() { child.stop() }
        running.withLock { $0.removeAll() }
    }

    private func start(
        _ name: String, _ arguments: [String], environment: [String: String], output: String,
        errors: ChildProcess.Errors
    ) throws -> ChildProcess {
        let child = try ChildProcess(
            name: name, arguments: arguments, environment: Self.environment(environment),
            output: output, errors: errors)
        running.withLock { $0.append(child) }
        try writeLedger()
        return child
    }

    /// What runs, for whoever cleans up after a demo that was killed.
    private func writeLedger() throws {
        try running.withLock { running in
            let lines = running.filter { $0.exitCode == nil }.map { child in
                "\(child.pid) \(ProcessTable.startTime(of: child.pid) ?? "-") \(child.name)"
            }
            try TextFile.write(lines.joined(separator: "\n") + "\n", to: layout.ledger)
        }
    }

    private static func environment(_ more: [String: String]) -> [String: String] {
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]
        for name in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "TERM", "NO_COLOR"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment.merging(more) { $1 }
    }
}
