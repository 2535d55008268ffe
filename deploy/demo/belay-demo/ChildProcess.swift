import Glibc
import Synchronization

/// One process that the demo started, in a session of its own, with its output in a file.
final class ChildProcess: Sendable {
    /// POSIX_SPAWN_SETSID of glibc's spawn.h, which stands there under _GNU_SOURCE only.
    private static let newSession: Int16 = 0x80

    /// Where errors go.
    enum Errors: Sendable {
        /// To the same file as the output.
        case joined
        case file(String)
        /// To those of the demo itself: the terminal.
        case inherited
    }

    let name: String
    let pid: pid_t
    private let ended = Mutex<Int32?>(nil)

    /// Starts `arguments[0]`; the output is appended to a file.
    init(
        name: String, arguments: [String], environment: [String: String], output: String,
        errors: Errors
    ) throws {
        self.name = name
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        switch errors {
        case .joined: posix_spawn_file_actions_adddup2(&actions, 1, 2)
        case .file(let path): posix_spawn_file_actions_addopen(&actions, 2, path, flags, 0o600)
        case .inherited: break
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The demo itself ignores the signals that it takes from a source; its children do not.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGINT, SIGTERM, SIGPIPE, SIGHUP] { sigaddset(&defaults, number) }
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setflags(
            &attributes,
            Self.newSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var started: pid_t = 0
        let code = posix_spawn(&started, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw DemoFailure("cannot start \(arguments[0]): \(String(cString: strerror(code)))")
        }
        pid = started
    }

    /// The exit code, 128 and the signal when one ended it; nil while it runs.
    var exitCode: Int32? {
        ended.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            known = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            return known
        }
    }

    /// The exit code once it has ended; ends it by force after `seconds`.
    func wait(seconds: Int) async throws -> Int32 {
        do {
            return try await Waiting.until("\(name) to end", seconds: seconds) { exitCode }
        } catch {
            signal(SIGKILL)
            throw error
        }
    }

    /// Sends a signal, unless it has ended.
    func signal(_ number: Int32) {
        guard exitCode == nil else { return }
        kill(pid, number)
    }

    /// Asks it to end, ends it by force after five seconds; works in a cancelled task too.
    func stop() {
        signal(SIGTERM)
        for _ in 0..<500 where exitCode == nil { usleep(10_000) }
        signal(SIGKILL)
        for _ in 0..<200 where exitCode == nil { usleep(10_000) }
    }

    /// The memory that it holds now, in KiB, as the kernel counts it; nil when it does not run.
    var residentKiB: Int? {
        guard exitCode == nil, let text = TextFile.read("/proc/\(pid)/status") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }
    }
}
