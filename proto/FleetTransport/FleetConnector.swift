package import FleetWire
package import NIOCore
import NIOHTTP1
import NIOPosix

/// The agent's way to the coordinator.
package struct FleetConnector: Sendable {
    private let host: String
    private let port: Int
    private let group: any EventLoopGroup
    private let limits: TransportLimits

    /// A connector to `host` (a name or address) and `port`.
    package init(
        host: String, port: Int, group: any EventLoopGroup,
        limits: TransportLimits = TransportLimits()
    ) {
        self.host = host
        self.port = port
        self.group = group
        self.limits = limits
    }

    /// Opens frames: `tls` offers `.frames` or `.enrolment`. Throws the system's error when nobody
    /// answers, `TLSError` when the coordinator is not who it should be or turns us away.
    package func connect(_ tls: TLSContext) async throws -> FleetConnection {
        let limits = limits
        return try await open(tls) { channel, ready in
            try FleetConnection.open(on: channel, ready: ready, limits: limits)
        }
    }

    /// Fetches the artifact `digest` from byte `offset` on; `consume` takes its pieces in order and
    /// is waited for. Throws `BlobError`, `TLSError`, or what `consume` threw.
    package func fetch(
        _ digest: Digest, from offset: UInt64, tls: TLSContext,
        consume: (ByteBuffer) async throws -> Void
    ) async throws {
        let limits = limits
        let (parts, channel) = try await open(tls) { channel, _ in
            let (bridge, parts) = InboundBridge<ByteBuffer>.make(
                on: channel.eventLoop, limits: limits
            ) { [$0] }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(IdleStateHandler(readTimeout: limits.idleTimeout))
            try pipeline.addHandler(BlobResponse())
            try pipeline.addHandler(bridge)
            return (parts, channel)
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/v1/blobs/\(digest.hex)")
        head.headers.add(name: "host", value: host)
        if offset > 0 { head.headers.add(name: "range", value: "bytes=\(offset)-") }
        let request = head
        try await channel.eventLoop.submit {
            channel.pipeline.syncOperations.writeAndFlush(
                NIOAny(HTTPClientRequestPart.head(request)), promise: nil)
            channel.pipeline.syncOperations.writeAndFlush(
                NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
        }.get()
        defer { channel.close(promise: nil) }
        for try await part in parts { try await consume(part) }
    }

    private func open<Result: Sendable>(
        _ tls: TLSContext,
        then use: @escaping @Sendable (any Channel, TLSReady) throws -> Result
    ) async throws -> Result {
        let limits = limits
        let promise = group.any().makePromise(of: Result.self)
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(limits.handshakeTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let engine = try TLSEngine(tls)
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        TLSHandler(engine, handshakeTimeout: limits.handshakeTimeout))
                    try pipeline.addHandler(ReadyWatcher(promise: promise, use: use))
                }
            }
        do {
            _ = try await bootstrap.connect(host: host, port: port).get()
        } catch {
            promise.fail(error)
        }
        return try await promise.futureResult.get()
    }
}

/// Waits for the end of the handshake on the client's side.
private final class ReadyWatcher<Result: Sendable>: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<Result>
    private let use: @Sendable (any Channel, TLSReady) throws -> Result

    init(
        promise: EventLoopPromise<Result>,
        use: @escaping @Sendable (any Channel, TLSReady) throws -> Result
    ) {
        self.promise = promise
        self.use = use
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let ready = event as? TLSReady else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        do {
            promise.succeed(try use(context.channel, ready))
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(TLSError.closed)
        context.fireChannelInactive()
    }
}

/// Why an artifact could not be fetched.
package enum BlobError: Error, Sendable, Hashable {
    /// The coordinator does not have it.
    case notFound
    /// The coordinator answered with this status.
    case refused(status: Int)
    /// The connection ended in the middle; ask again from where it stopped.
    case interrupted
}

/// Judges the head of a download's answer and passes on the body.
private final class BlobResponse: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = ByteBuffer

    private var isComplete = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard head.status != .ok, head.status != .partialContent else { return }
            isComplete = true
            context.fireErrorCaught(
                head.status == .notFound
                    ? BlobError.notFound : BlobError.refused(status: Int(head.status.code)))
        case .body(let buffer): context.fireChannelRead(wrapInboundOut(buffer))
        case .end:
            isComplete = true
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isComplete { context.fireErrorCaught(BlobError.interrupted) }
        context.fireChannelInactive()
    }
}
