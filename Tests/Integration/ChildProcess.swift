import Foundation
import Glibc
import Synchronization

/// A real process of a test; ended with its owner.
final class ChildProcess: Sendable {
    struct Output: Sendable {
        var status: Int32
        var out: String
        var err: String
        /// What failed assertions show.
        var summary: String { "exit \(status)\nstdout: \(out)\nstderr: \(err)" }
    }

    /// The folder of the binaries that belong to this build.
    static let binaries: String = {
        let me =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: me).deletingLastPathComponent().path
    }()

    let pid: Int32
    private let process: Mutex<Process>
    private let ended: AsyncStream<Int32>

    /// Starts `binary` of this build; its output goes to `log`.
    init(_ binary: String, _ arguments: [String], log: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.binaries + "/" + binary)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        try file.seekToEnd()
        process.standardOutput = file
        process.standardError = file
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            continuation.yield($0.terminationStatus)
            continuation.finish()
        }
        try process.run()
        pid = process.processIdentifier
        ended = stream
        self.process = Mutex(process)
    }

    var isRunning: Bool { process.withLock { $0.isRunning } }

    func signal(_ number: Int32) { if isRunning { kill(pid, number) } }

    /// Ends it at once and waits until it is gone.
    func killNow() async {
        signal(SIGKILL)
        _ = await wait()
    }

    /// Its exit status, once it ended.
    func wait() async -> Int32 {
        for await status in ended { return status }
        return process.withLock { $0.isRunning ? -1 : $0.terminationStatus }
    }

    deinit { if process.withLock({ $0.isRunning }) { kill(pid, SIGKILL) } }

    /// Runs `binary` of this build, or the one at this absolute path, to its end.
    static func run(
        _ binary: String, _ arguments: [String], environment: [String: String] = [:],
        input: String? = nil
    ) async throws -> Output {
        let process = Process()
        process.executableURL = URL(
            fileURLWithPath: binary.hasPrefix("/") ? binary : Self.binaries + "/" + binary)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "belay-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["out", "err"].map { folder.appendingPathComponent($0) }
        for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        if let input {
            let source = folder.appendingPathComponent("in")
            try Data(input.utf8).write(to: source)
            process.standardInput = try FileHandle(forReadingFrom: source)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
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
    _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw Trouble("within \(limit) it did not happen that \(what)")
}
