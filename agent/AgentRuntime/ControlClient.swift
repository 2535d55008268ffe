import FleetWire
import Glibc
import HostProcesses
package import Logging

/// Asks the agent that runs, or carries the request out on the state if none does.
package enum ControlClient {
    /// The answer. `update` is called with every line before it, on another thread; each element of
    /// `stops` asks for an early end. Throws `AgentError` when the state cannot be used.
    package static func ask(
        _ request: ControlRequest, _ state: StateDirectory, logger: Logger,
        stops: AsyncStream<Void> = AsyncStream { $0.finish() },
        update: @escaping @Sendable (ControlLine) -> Void = { _ in }
    ) async throws -> ControlReply {
        if let socket = try ControlConnection(state) {
            if let reply = try await through(socket, request, stops, update) { return reply }
        }
        // Points are the host's own: they are worked on whether a fleet knows it or not.
        let agent = try Agent(
            state: state, needsEnrolment: request.command != .point, logger: logger)
        let (replies, done) = AsyncStream<ControlReply>.makeStream()
        let updates = ControlUpdates(update)
        try await agent.offline(changing: request.changes) { agent in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in stops { updates.stop(.asked) }
                }
                done.yield(await agent.control(request, updates))
                group.cancelAll()
            }
            done.finish()
        }
        for await reply in replies { return reply }
        throw AgentError("the request ended without an answer")
    }

    /// Nil if the agent went away before it began.
    private static func through(
        _ socket: ControlConnection, _ request: ControlRequest, _ stops: AsyncStream<Void>,
        _ update: @escaping @Sendable (ControlLine) -> Void
    ) async throws -> ControlReply? {
        guard try socket.send(request) else { return nil }
        return try await withThrowingTaskGroup(of: Result<ControlReply?, any Error>?.self) {
            group in
            group.addTask {
                await OwnThread.run { _ in Result { try socket.reply(update) } }
            }
            group.addTask {
                for await _ in stops { _ = try socket.send(ControlRequest(.cancel)) }
                return nil
            }
            while let ended = try await group.next() {
                guard let ended else { continue }
                group.cancelAll()
                return try ended.get()
            }
            return nil
        }
    }
}

/// One connection to the agent's `control.sock`.
private final class ControlConnection: Sendable {
    private let file: Int32

    /// Nil if no agent listens.
    init?(_ state: StateDirectory) throws {
        let path = state.file("control.sock")
        file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw StateDirectory.failure("open a socket for", path) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else {
            throw AgentError(
                "\(path) is too long for a socket", remedy: "use a shorter --state", exitCode: 3)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return nil }
    }

    deinit { close(file) }

    /// False if the agent is gone.
    func send(_ request: ControlRequest) throws -> Bool {
        let line = try WireJSON.encode(request) + [UInt8(ascii: "\n")]
        return write(file, line, line.count) == line.count
    }

    /// Reads lines until the reply; nil if the agent ended before it said anything.
    func reply(_ update: (ControlLine) -> Void) throws -> ControlReply? {
        var waiting: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var hasHeard = false
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            hasHeard = true
            waiting += buffer.prefix(count)
            while let end = waiting.firstIndex(of: UInt8(ascii: "\n")) {
                let line = try WireJSON.decode(ControlLine.self, from: Array(waiting[..<end]))
                waiting.removeFirst(end + 1)
                if let reply = line.reply { return reply }
                update(line)
            }
        }
        guard hasHeard else { return nil }
        throw AgentError(
            "the agent ended before it had answered",
            remedy: "see its log, then `belay-agent status`; a restore that was cut off goes on "
                + "at the agent's next start")
    }
}
