/// Why a TLS connection was refused or broken, in words for the log and the operator.
package enum TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// OpenSSL could not take our own certificate, key or authority.
    case setup(String)
    /// The handshake failed: the peer's certificate, protocol or bytes were not acceptable.
    case handshake(String)
    /// The peer's certificate is valid and says the wrong thing.
    case identity(String)
    /// The peer is who it should be, and its certificate is not valid at our time.
    case time(String)
    /// The handshake took too long.
    case handshakeTimeout
    /// The connection broke after the handshake.
    case broken(String)
    /// The peer closed.
    case closed

    /// One sentence.
    package var description: String {
        switch self {
        case .setup(let why): "TLS could not be set up: \(why)"
        case .handshake(let why): "TLS handshake refused: \(why)"
        case .identity(let why): "peer identity refused: \(why)"
        case .time(let why): "peer's certificate is not valid now: \(why)"
        case .handshakeTimeout: "TLS handshake timed out"
        case .broken(let why): "TLS connection broken: \(why)"
        case .closed: "connection closed by the peer"
        }
    }
}
