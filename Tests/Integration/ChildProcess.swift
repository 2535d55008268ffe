import Foundation
import Glibc
import Synchronization

/// A real process of a test; killed with its owner. Its end is its own: what it left running, such
/// as a guard, is not waited for.
final class ChildProcess: Sendable {
    struct Output: Sendable {
        var status: Int32
        var out: String
        var err: String
        /// What failed assertions show.
        var summary: String { "exit \(status)\nstdout: \(out)\nstderr: \(err)" }
        var all: String { out + err }
    }

    /// The folder of the binaries that belong to this build.
    static let binaries: String = {
        let me =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: me).deletingLastPathComponent().path
    }()

    let pid: Int32
    /// The exit status, or 128 and the signal, once it was reaped.
    private let ended = Mutex<Int32?>(nil)

    /// Starts `binary` of this build, or a program by its path; its output is appended to `log`.
    convenience init(
        _ binary: String, _ arguments: [String], environment: [String: String] = [:], log: String
    ) throws {
        try self.init(binary, arguments, environment: environment, files: [nil, log, log])
    }

    private init(
        _ binary: String, _ arguments: [String], environment: [String: String],
        files: [String?]
    ) throws {
        let path = binary.hasPrefix("/") ? binary : Self.binaries + "/" + binary
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, file) in files.enumerated() {
            let flags = number == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND
            posix_spawn_file_actions_addopen(
                &actions, Int32(number), file ?? "/dev/null", flags, 0o600)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let number = Int32(name), number > 2 {
                posix_spawn_file_actions_addclose(&actions, number)
            }
        }
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let envp = merged.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        var attributes = Self.freshSignals()
        defer { posix_spawnattr_destroy(&attributes) }
        let code = posix_spawn(&pid, path, &actions, &attributes, argv, envp)
        guard code == 0 else { throw Trouble("\(path): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    /// A group of its own and no signal blocked: the threads that start processes here block most.
    private static func freshSignals() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        return attributes
    }

    private var status: Int32? {
        ended.withLock { ended in
            if let ended { return ended }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
            ended = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + raw & 0x7F
            return ended
        }
    }

    var isRunning: Bool { status == nil }

    func signal(_ number: Int32) { if isRunning { kill(pid, number) } }

    /// Ends it at once and waits until it is gone.
    func killNow() async throws {
        signal(SIGKILL)
        _ = try await wait()
    }

    /// Its exit status, once it ended; 128 and the number for a signal.
    func wait(within limit: Duration = .seconds(60)) async throws -> Int32 {
        try await eventually("process \(pid) ends", within: limit, every: .milliseconds(5)) {
            status != nil
        }
        return status ?? -1
    }

    deinit { if isRunning { kill(pid, SIGKILL) } }

    /// Runs `binary` of this build, or the one at this absolute path, to its end.
    static func run(
        _ binary: String, _ arguments: [String], environment: [String: String] = [:],
        input: String? = nil
    ) async throws -> Output {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "belay-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["out", "err"].map { folder.appendingPathComponent($0) }
        let source = input == nil ? nil : folder.appendingPathComponent("in")
        if let source { try Data((input ?? "").utf8).write(to: source) }
        let child = try ChildProcess(
            binary, arguments, environment: environment, files: [source?.path] + files.map(\.path))
        let status = try await child.wait(within: .seconds(120))
        return Output(
            status: status, out: String(decoding: try Data(contentsOf: files[0]), as: UTF8.self),
            err: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self))
    }
}

/// Why a test's own machinery gave up.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Waits on a condition; throws when it does not hold within `limit`.
func eventually(
    _ what: String, within limit: Duration = .seconds(30),
    every pause: Duration = .milliseconds(20),
    _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await holds() { return }
        try await Task.sleep(for: pause)
    }
    throw Trouble("within \(limit) it did not happen that \(what)")
}
