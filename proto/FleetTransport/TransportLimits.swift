package import NIOCore

/// The limits of the transport, each with what breaks if it changes.
package struct TransportLimits: Sendable {
    /// A peer that has not finished its handshake by then is cut off. Longer lets slow attackers
    /// hold half-open connections; shorter cuts off hosts on bad links.
    package var handshakeTimeout: TimeAmount = .seconds(10)
    /// A connection on which nothing arrived for this long is dead. Must exceed three heartbeats.
    package var idleTimeout: TimeAmount = .seconds(45)
    /// Connections in handshake, in all. Raising it raises what strangers can make us hold.
    package var halfOpenMax = 512
    /// Connections in handshake from one address; many hosts may share one behind NAT.
    package var halfOpenPerPeerMax = 64
    /// Connections in all; must stay below the limit of open files.
    package var connectionsMax = 16_000
    /// Payloads waiting for the reader before the socket is no longer read.
    package var inboundHighWatermark = 64
    /// Payloads left waiting when the socket is read again.
    package var inboundLowWatermark = 16
    /// Plain bytes taken from the TLS engine at once; bounds one read's memory.
    static let readChunkBytes = 16_384
    /// The limits of production.
    package init() {}
}
