import FleetWire
import Glibc
import NIOCore
import NIOPosix

/// `control.sock`, 0600: one request a connection, a line of JSON; then lines of `ControlLine`, the
/// last with the reply. While it is worked on, a line `{"command":"cancel"}` asks to stop.
enum ControlSocket {
    private static let requestBytesMax = 1 << 20
    /// How long a client may take to read the answer and close.
    private static let lingering = Duration.seconds(30)

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func serve(_ agent: Agent) async throws {
        let path = agent.state.file("control.sock")
        unlink(path)
        // The directory is 0700, so nobody else reaches the socket before its mode is set.
        let server: NIOAsyncChannel<Connection, Never>
        do {
            server = try await ServerBootstrap(group: AgentThreads.loop)
                .bind(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Connection(wrappingChannelSynchronously: channel)
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

    private static func answer(_ connection: Connection, _ agent: Agent) async {
        let (asked, ask) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: .bufferingNewest(16))
        let (lines, out) = AsyncStream<ControlLine>.makeStream()
        let updates = ControlUpdates(limited: true) { out.yield($0) }
        try? await connection.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    defer { ask.finish() }
                    try await read(inbound, to: ask)
                    return true
                }
                group.addTask {
                    defer { out.finish() }
                    await serve(asked, to: out, agent, updates)
                    return false
                }
                defer { updates.stop(.gone) }
                for await line in lines {
                    if line.reply == nil, line.progress == nil { updates.delivered() }
                    let bytes = try WireJSON.encode(line) + [UInt8(ascii: "\n")]
                    try await outbound.write(ByteBuffer(bytes: bytes))
                }
                // A close would cut off what the client has not read: it closes first.
                group.addTask {
                    try await Task.sleep(for: lingering)
                    return true
                }
                while let isOver = try await group.next() { if isOver { break } }
                group.cancelAll()
            }
        }
    }

    private static func serve(
        _ asked: AsyncStream<[UInt8]>, to out: AsyncStream<ControlLine>.Continuation,
        _ agent: Agent, _ updates: ControlUpdates
    ) async {
        var lines = asked.makeAsyncIterator()
        guard let line = await lines.next() else { return }
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                out.yield(ControlLine(await reply(to: line, agent, updates)))
                return true
            }
            group.addTask {
                await heed(asked, updates)
                return false
            }
            while let hasReplied = await group.next() { if hasReplied { group.cancelAll() } }
        }
    }

    /// Raises the stop when the client asks for it, and notes when it is gone: what it asked for is
    /// then nobody's wish any more, except a restore, which is better whole than half done.
    private static func heed(_ asked: AsyncStream<[UInt8]>, _ updates: ControlUpdates) async {
        for await line in asked {
            if let request = try? WireJSON.decode(ControlRequest.self, from: line),
                request.command == .cancel
            {
                updates.stop(.asked)
            }
        }
        if !Task.isCancelled { updates.stop(.gone) }
    }

    private static func reply(
        to line: [UInt8], _ agent: Agent, _ updates: ControlUpdates
    ) async -> ControlReply {
        guard let request = try? WireJSON.decode(ControlRequest.self, from: line) else {
            var reply = ControlReply()
            reply.refusal = Refusal(code: "invalid", reason: "the request is malformed")
            return reply
        }
        return await agent.control(request, updates)
    }

    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        to lines: AsyncStream<[UInt8]>.Continuation
    ) async throws {
        var waiting: [UInt8] = []
        for try await buffer in inbound {
            waiting += buffer.readableBytesView
            while let end = waiting.firstIndex(of: UInt8(ascii: "\n")) {
                lines.yield(Array(waiting[..<end]))
                waiting.removeFirst(end + 1)
            }
            guard waiting.count <= requestBytesMax else { return }
        }
    }
}
