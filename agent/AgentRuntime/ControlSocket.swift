import FleetWire
import Glibc
import NIOCore
import NIOPosix

/// `control.sock`, 0600: one request and one answer a connection, each one line of JSON.
enum ControlSocket {
    private static let requestBytesMax = 1 << 20

    static func serve(_ agent: Agent) async throws {
        let path = agent.state.file("control.sock")
        unlink(path)
        // The directory is 0700, so nobody else reaches the socket before its mode is set.
        let server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
        do {
            server = try await ServerBootstrap(group: AgentThreads.loop)
                .bind(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw AgentError(
                "\(path) cannot be listened on: \(error)",
                remedy: "the directory must be there and its path shorter than 100 bytes; use "
                    + "another --state")
        }
        chmod(path, 0o600)
        defer { unlink(path) }
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await answer(connection, agent) }
                }
            }
        }
    }

    private static func answer(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ agent: Agent
    ) async {
        try? await connection.executeThenClose { inbound, outbound in
            var line: [UInt8] = []
            for try await buffer in inbound {
                line += buffer.readableBytesView
                guard line.count <= requestBytesMax else { return }
                if line.last == UInt8(ascii: "\n") { break }
            }
            var reply = ControlReply()
            if let request = try? WireJSON.decode(ControlRequest.self, from: line) {
                reply = await agent.control(request)
            } else {
                reply.refusal = Refusal(code: "invalid", reason: "the request is malformed")
            }
            let bytes = try WireJSON.encode(reply) + [UInt8(ascii: "\n")]
            try await outbound.write(ByteBuffer(bytes: bytes))
        }
    }
}
