import CLinux
import Glibc

/// How one run of a program went.
struct TimedRun: Sendable {
    /// From before it was started until it was reaped.
    let seconds: Double
    /// Of the processor, in user and system mode together, with what its children used.
    let processorSeconds: Double
    /// The most memory that it, or one of its children, held at once.
    let residentBytes: Int
    /// The exit code; 128 and the signal when one ended it.
    let code: Int32
    let output: String
    let errors: String
    /// The share of the machine's processors that others used meanwhile, 0 to 1.
    let othersShare: Double
}

/// Runs programs to their end, with the clock, and knows what they used.
struct ProgramRunner: Sendable {
    /// Where outputs are kept while a program runs.
    let logs: String

    /// Runs a command. Throws `Interrupted`, or `BenchFailure` if it cannot be started.
    func run(_ command: ToolCommand) throws -> TimedRun {
        try Interruption.check()
        let (output, errors) = ("\(logs)/output", "\(logs)/errors")
        let before = ProcessorTimes.read()
        let begun = ContinuousClock.now
        let pid = try start(command, output: output, errors: errors)
        Interruption.concern(pid)
        defer { Interruption.concern(0) }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw BenchFailure.system("wait for", "\(pid)", errno) }
        }
        let took = begun.duration(to: .now) / .seconds(1)
        let after = ProcessorTimes.read()
        try Interruption.check()
        let own = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
        let signalNumber = status & 0x7F
        return TimedRun(
            seconds: took, processorSeconds: own, residentBytes: usage.ru_maxrss * 1_024,
            code: signalNumber == 0 ? (status >> 8) & 0xFF : 128 + signalNumber,
            output: TextFile.read(output) ?? "", errors: TextFile.read(errors) ?? "",
            othersShare: ProcessorTimes.share(before, after, without: own, seconds: took))
    }

    /// The most memory that this process has held, which a program inherits as its own maximum.
    static var ownBytes: Int {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1_024
    }

    /// Runs a command that must end with 0; its output.
    @discardableResult
    func succeed(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
        let command = ToolCommand(arguments: arguments, environment: environment)
        let run = try run(command)
        guard run.code == 0 else { throw run.failure(of: command) }
        return run.output
    }

    /// In a group of its own, so that a signal reaches what it started too.
    func start(_ command: ToolCommand, output: String, errors: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
        if let directory = command.directory {
            posix_spawn_file_actions_addchdir_np(&actions, directory)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))
        var argv = command.arguments.map { strdup($0) } + [nil]
        var envp = Self.environment(command.environment).map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, command.arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw BenchFailure.system("start", command.arguments[0], code) }
        return pid
    }

    private static func environment(_ more: [String: String]) -> [String: String] {
        var environment = ["PATH": Programs.searchPath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"]
        for name in ["HOME", "LD_LIBRARY_PATH", "TMPDIR"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment.merging(more) { $1 }
    }

    static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
    }
}

extension TimedRun {
    /// That `command` did not end with 0, with the end of what it said.
    func failure(of command: ToolCommand) -> BenchFailure {
        let said = (errors.isEmpty ? output : errors).split(separator: "\n").suffix(4)
        return BenchFailure(
            "`\(command.shown())` ended with \(code): \(said.joined(separator: " / "))")
    }
}
