package import FleetWire
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The coordinator's port: agents, enrolling hosts and downloads, told apart by ALPN.
package final class FleetListener: Sendable {
    /// What came in.
    package enum Incoming: Sendable {
        /// An agent with a valid certificate.
        case agent(FleetConnection)
        /// A host without one, which may only enrol.
        case enrolment(FleetConnection)
    }

    /// Says why a peer with a valid certificate is turned away (revoked), or nil.
    package typealias Authorize = @Sendable (PeerIdentity) -> String?

    /// What the listener serves.
    package struct Configuration: Sendable {
        /// The address to bind.
        package var host: String
        /// The port; 0 takes a free one.
        package var port: Int
        /// The limits.
        package var limits: TransportLimits
        /// Asked after every handshake.
        package var authorize: Authorize
        /// Finds the file of an artifact.
        package var artifact: @Sendable (Digest) -> String?
        /// A configuration of these fields.
        package init(
            host: String, port: Int, limits: TransportLimits = TransportLimits(),
            authorize: @escaping Authorize, artifact: @escaping @Sendable (Digest) -> String?
        ) {
            self.host = host
            self.port = port
            self.limits = limits
            self.authorize = authorize
            self.artifact = artifact
        }
    }

    /// What came in, in order; read it in one task.
    package let incoming: AsyncStream<Incoming>
    /// The port that was bound.
    package let port: Int
    private let arrivals: AsyncStream<Incoming>.Continuation
    private let channel: any Channel

    private init(
        channel: any Channel, incoming: AsyncStream<Incoming>,
        arrivals: AsyncStream<Incoming>.Continuation
    ) {
        self.channel = channel
        self.incoming = incoming
        self.arrivals = arrivals
        port = channel.localAddress?.port ?? 0
    }

    /// Binds and accepts. Throws the system's error when the address cannot be bound.
    package static func bind(
        _ configuration: Configuration, tls: TLSContext, group: any EventLoopGroup, logger: Logger
    ) async throws -> FleetListener {
        let (incoming, arrivals) = AsyncStream.makeStream(
            of: Incoming.self, bufferingPolicy: .bufferingOldest(4096))
        let gate = ConnectionGate(limits: configuration.limits)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let door = FleetDoor(
                        configuration: configuration, gate: gate, arrivals: arrivals,
                        logger: logger)
                    let engine = try TLSEngine(tls)
                    let pipeline = channel.pipeline.syncOperations
                    guard door.admit(channel) else { return }
                    try pipeline.addHandler(
                        TLSHandler(
                            engine, handshakeTimeout: configuration.limits.handshakeTimeout))
                    try pipeline.addHandler(door)
                }
            }
            .bind(host: configuration.host, port: configuration.port).get()
        return FleetListener(channel: channel, incoming: incoming, arrivals: arrivals)
    }

    /// Accepts no more; open connections stay.
    package func close() async {
        try? await channel.close()
        arrivals.finish()
    }
}

/// Counts connections, so that strangers cannot take all of them.
final class ConnectionGate: Sendable {
    private struct Counts {
        var all = 0
        var halfOpen = 0
        var halfOpenByPeer: [String: Int] = [:]
    }

    private let limits: TransportLimits
    private let counts = Mutex(Counts())

    init(limits: TransportLimits) { self.limits = limits }

    /// Nil if the connection may begin its handshake, else why not.
    func enter(_ peer: String) -> String? {
        counts.withLock { counts in
            if counts.all >= limits.connectionsMax { return "too many connections" }
            if counts.halfOpen >= limits.halfOpenMax { return "too many half-open connections" }
            let mine = counts.halfOpenByPeer[peer, default: 0]
            if mine >= limits.halfOpenPerPeerMax {
                return "too many half-open connections from this address"
            }
            counts.all += 1
            counts.halfOpen += 1
            counts.halfOpenByPeer[peer] = mine + 1
            return nil
        }
    }

    /// The handshake ended, well or not.
    func settled(_ peer: String) {
        counts.withLock { counts in
            counts.halfOpen -= 1
            let mine = counts.halfOpenByPeer[peer, default: 1] - 1
            counts.halfOpenByPeer[peer] = mine > 0 ? mine : nil
        }
    }

    /// The connection is gone.
    func left() { counts.withLock { $0.all -= 1 } }
}

/// Stands behind the TLS handler of one accepted connection until it is known what it wants.
final class FleetDoor: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let configuration: FleetListener.Configuration
    private let gate: ConnectionGate
    private let arrivals: AsyncStream<FleetListener.Incoming>.Continuation
    private let logger: Logger
    private var address = ""
    private var isHalfOpen = false

    init(
        configuration: FleetListener.Configuration, gate: ConnectionGate,
        arrivals: AsyncStream<FleetListener.Incoming>.Continuation, logger: Logger
    ) {
        self.configuration = configuration
        self.gate = gate
        self.arrivals = arrivals
        self.logger = logger
    }

    /// False if the connection was turned away at once.
    func admit(_ channel: any Channel) -> Bool {
        address = channel.remoteAddress?.ipAddress ?? "unknown"
        if let reason = gate.enter(address) {
            refuse(reason)
            channel.close(promise: nil)
            return false
        }
        isHalfOpen = true
        let gate = gate
        channel.closeFuture.whenComplete { _ in gate.left() }
        return true
    }

    private func settle() {
        guard isHalfOpen else { return }
        isHalfOpen = false
        gate.settled(address)
    }

    private func refuse(_ reason: String) {
        logger.warning(
            "connection refused", metadata: ["peer": "\(address)", "reason": "\(reason)"])
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isHalfOpen { refuse("\(error)") }
        settle()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        settle()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let ready = event as? TLSReady else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        settle()
        if let peer = ready.peer, let reason = configuration.authorize(peer) {
            refuse(reason)
            context.close(promise: nil)
            return
        }
        do {
            try route(ready, context: context)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            refuse("\(error)")
            context.close(promise: nil)
        }
    }

    private func route(_ ready: TLSReady, context: ChannelHandlerContext) throws {
        let channel = context.channel
        switch ready.service {
        case .frames:
            deliver(
                .agent(try .open(on: channel, ready: ready, limits: configuration.limits)), channel)
        case .enrolment:
            deliver(
                .enrolment(try .open(on: channel, ready: ready, limits: configuration.limits)),
                channel)
        case .blobs:
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
            try pipeline.addHandler(BlobServer(artifact: configuration.artifact))
        }
    }

    private func deliver(_ incoming: FleetListener.Incoming, _ channel: any Channel) {
        if case .enqueued = arrivals.yield(incoming) { return }
        refuse("the coordinator is overloaded")
        channel.close(promise: nil)
    }
}
