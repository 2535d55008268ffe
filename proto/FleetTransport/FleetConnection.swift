import FleetWire
import NIOCore

/// One open connection: payloads of frames come in as an asynchronous sequence and go out by
/// `send`. The sequence throws `FrameError` or `TLSError` when the peer misbehaved, and ends when
/// it closed. It can be read by one consumer, once.
package struct FleetConnection: Sendable {
    /// The payloads of frames.
    package struct Payloads: AsyncSequence, Sendable {
        /// One payload.
        package typealias Element = [UInt8]
        let producer: InboundBridge<[UInt8]>.Producer

        /// Gives the payloads in order.
        package struct Iterator: AsyncIteratorProtocol {
            var base: InboundBridge<[UInt8]>.Producer.AsyncIterator
            /// The next payload, nil at the end.
            package mutating func next() async throws -> [UInt8]? { try await base.next() }
        }

        /// Begins reading; only once.
        package func makeAsyncIterator() -> Iterator {
            Iterator(base: producer.makeAsyncIterator())
        }
    }

    /// The other side; nil while a host enrols.
    package let peer: PeerIdentity?
    /// Its address, for the log.
    package let address: String
    /// True if an earlier TLS session was resumed.
    package let wasResumed: Bool
    /// What arrives.
    package let inbound: Payloads
    private let channel: any Channel

    /// Sends one payload; returns once the socket took it, so a slow peer slows the sender.
    /// Throws `FrameError` for a payload over the limit, `TLSError` if the connection is gone.
    package func send(_ payload: [UInt8]) async throws {
        let frame = try FrameEncoder.encode(payload)
        try await channel.writeAndFlush(ByteBuffer(bytes: frame))
    }

    /// Closes; the sequence then ends.
    package func close() { channel.close(promise: nil) }

    /// Puts frames on a channel whose handshake is done; on its event loop.
    static func open(
        on channel: any Channel, ready: TLSReady, limits: TransportLimits
    ) throws -> FleetConnection {
        var decoder = FrameDecoder()
        let (bridge, producer) = InboundBridge<[UInt8]>.make(
            on: channel.eventLoop, limits: limits
        ) { buffer in
            decoder.append(buffer.readableBytesView)
            var payloads: [[UInt8]] = []
            while let payload = try decoder.next() { payloads.append(payload) }
            return payloads
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(IdleStateHandler(readTimeout: limits.idleTimeout))
        try pipeline.addHandler(bridge)
        return FleetConnection(
            peer: ready.peer, address: channel.remoteAddress?.description ?? "unknown",
            wasResumed: ready.resumed, inbound: Payloads(producer: producer), channel: channel)
    }
}
