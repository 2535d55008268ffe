import FleetWire
import Glibc
package import Logging

/// Asks the agent that runs, or carries the request out on the state if none does.
package enum ControlClient {
    /// The answer. Throws `AgentError` when the state cannot be used.
    package static func ask(
        _ request: ControlRequest, _ state: StateDirectory, logger: Logger
    ) async throws -> ControlReply {
        if let reply = try throughSocket(request, state) { return reply }
        let agent = try Agent(state: state, logger: logger)
        let (replies, done) = AsyncStream<ControlReply>.makeStream()
        try await agent.offline { agent in
            done.yield(await agent.control(request))
            done.finish()
        }
        for await reply in replies { return reply }
        throw AgentError("the request ended without an answer")
    }

    /// Nil if no agent listens.
    private static func throughSocket(
        _ request: ControlRequest, _ state: StateDirectory
    ) throws -> ControlReply? {
        let path = state.file("control.sock")
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw StateDirectory.failure("open a socket for", path) }
        defer { close(file) }
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
        let line = try WireJSON.encode(request) + [UInt8(ascii: "\n")]
        guard write(file, line, line.count) == line.count else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            answer += buffer.prefix(count)
        }
        guard !answer.isEmpty else { return nil }
        return try WireJSON.decode(ControlReply.self, from: answer)
    }
}
