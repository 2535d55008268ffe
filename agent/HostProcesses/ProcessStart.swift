import CLinux
import Glibc

/// Starts programs by `posix_spawn`: own process group, no signal blocked or ignored, standard
/// input from /dev/null or a given file, standard output and error into one pipe unless output has a
/// file of its own, every other descriptor closed.
enum ProcessStart {
    struct Started {
        let pid: Int32
        /// The reading end of the pipe; the caller closes it.
        let output: Int32
        /// Holds it back, if somebody wants to know of it before it begins.
        let gate: ProcessGate?
    }

    struct Failure: Error {
        let reason: String
    }

    static func start(_ run: ProcessRun) -> Result<Started, Failure> {
        guard let name = run.argv.first, !name.isEmpty else {
            return .failure(Failure(reason: "no program is named"))
        }
        let texts = run.argv + run.environment.map { "\($0.key)=\($0.value)" } + [run.directory]
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            return .failure(Failure(reason: "an argument of \(name) holds a NUL byte"))
        }
        guard let program = find(name) else {
            return .failure(
                Failure(
                    reason: name.utf8.contains(UInt8(ascii: "/"))
                        ? "\(name) is missing, not executable or not an absolute path"
                        : "\(name) was not found in \(ProcessRun.path)"))
        }
        var status = stat()
        guard stat(run.directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            return .failure(Failure(reason: "its directory \(run.directory) is missing"))
        }
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else {
            return .failure(Failure(reason: "no pipe: \(errorText(errno))"))
        }
        defer { close(ends[1]) }
        let gate = run.onStart == nil ? nil : ProcessGate()
        guard run.onStart == nil || gate != nil else {
            close(ends[0])
            return .failure(Failure(reason: "no pipe: \(errorText(errno))"))
        }
        var pid: Int32 = 0
        let code = spawn(run, program, behind: gate, into: ends[1], &pid)
        guard code == 0 else {
            close(ends[0])
            gate?.close()
            return .failure(Failure(reason: "\(program) did not start: \(errorText(code))"))
        }
        return .success(Started(pid: pid, output: ends[0], gate: gate))
    }

    private static func find(_ name: String) -> String? {
        if name.utf8.contains(UInt8(ascii: "/")) {
            return name.hasPrefix("/") && access(name, X_OK) == 0 ? name : nil
        }
        return ProcessRun.path.split(separator: ":").map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    private static func spawn(
        _ run: ProcessRun, _ program: String, behind gate: ProcessGate?, into pipe: Int32,
        _ pid: inout Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input = run.standardInput {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, run.standardOutput ?? pipe, 1)
        posix_spawn_file_actions_adddup2(&actions, pipe, 2)
        if let gate { posix_spawn_file_actions_adddup2(&actions, gate.read, ProcessGate.place) }
        posix_spawn_file_actions_addclosefrom_np(&actions, gate == nil ? 3 : ProcessGate.place + 1)
        posix_spawn_file_actions_addchdir_np(&actions, run.directory)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let argv =
            gate == nil
            ? run.argv
            : ["/bin/sh", "-c", ProcessGate.script, "sh", program] + run.argv.dropFirst()
        var arguments = argv.map { strdup($0) } + [nil]
        var environment =
            run.environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") }
            + [nil]
        defer { for text in arguments + environment { free(text) } }
        return posix_spawn(
            &pid, gate == nil ? program : "/bin/sh", &actions, &attributes, &arguments, &environment
        )
    }
}

/// The system's words for an error number.
package func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
