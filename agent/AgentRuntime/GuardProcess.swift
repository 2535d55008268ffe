import CLinux
import Glibc

/// Starts the guard: a process of its own session that outlives the agent.
package struct GuardProcess: Sendable {
    /// The program and its first arguments; `--state`, `--root` are added.
    package var argv: [String]

    /// The guard that this very executable is.
    package static let own = GuardProcess(argv: ["/proc/self/exe", "guard"])

    /// A guard of this command.
    package init(argv: [String]) { self.argv = argv }

    /// Starts it and returns once it watches; blocks the thread. Throws if it does not.
    func start(_ files: GuardFiles) throws {
        if files.isWatching { return }
        var argv = argv + ["--state", files.state.path]
        if !files.state.root.isEmpty { argv += ["--root", files.state.root] }
        let child = try Self.spawn(argv, log: files.state.file("guard/guard.log"))
        var status: Int32 = 0
        // It forks off the process that watches, and ends at once.
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        for _ in 0..<200 {
            if files.isWatching { return }
            usleep(25_000)
        }
        throw AgentError(
            "the guard did not begin to watch within 5 s",
            remedy: "see \(files.state.file("guard/guard.log"))")
    }

    /// Starts `argv` in a session of its own, with its output in `log` and no other open file.
    package static func spawn(_ argv: [String], log: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Not even what the agent itself inherited: a supervisor may wait for its end.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // POSIX_SPAWN_SETSID is 0x80 in glibc's spawn.h.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80))
        var arguments: [UnsafeMutablePointer<CChar>?] = argv.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: Int32 = 0
        let code = posix_spawn(&child, argv[0], &actions, &attributes, arguments, environ)
        guard code == 0 else {
            throw AgentError("cannot start \(argv[0]): \(String(cString: strerror(code)))")
        }
        return child
    }
}
