import COpenSSL
import HostProcesses

/// Asks a server for its certificates by a TLS handshake.
struct TLSProbe {
    struct Failure: Error {
        let reason: String
        /// True if nothing can be told of the server.
        let isUntold: Bool
    }

    var host: String
    var port: String
    /// Sent as the server's name unless it is an address.
    var name: String
    /// True if the server first has to be asked for TLS as PostgreSQL's clients do.
    var isPostgres: Bool

    /// The certificates that it sent.
    func certificates(
        _ deadline: ContinuousClock.Instant, _ cancellation: OwnThread.Cancellation
    ) throws(Failure) -> CertificateChain {
        let socket = TCPSocket(deadline: deadline, cancellation: cancellation)
        defer { socket.close() }
        do throws(TCPSocket.Failure) {
            try socket.connect(host: host, port: port)
            if isPostgres {
                // SSLRequest, PostgreSQL's protocol 3.0, "Message Formats".
                try socket.send(bytes: [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F])
                guard try socket.receive() == [UInt8(ascii: "S")] else {
                    throw TCPSocket.Failure(reason: "it offers no TLS", isLate: false)
                }
            }
            return try handshake(over: socket)
        } catch {
            throw Failure(reason: "\(host):\(port): \(error.reason)", isUntold: error.isLate)
        }
    }

    private func handshake(over socket: TCPSocket) throws(TCPSocket.Failure) -> CertificateChain {
        ERR_clear_error()
        let context = SSL_CTX_new(TLS_client_method())
        let connection = SSL_new(context)
        defer {
            SSL_free(connection)
            SSL_CTX_free(context)
            ERR_clear_error()
        }
        // Whom to trust is judged afterwards, so that an untrusted certificate can be told of.
        SSL_set_verify(connection, SSL_VERIFY_NONE, nil)
        if !name.utf8.allSatisfy({ (0x30...0x3A).contains($0) || $0 == UInt8(ascii: ".") }) {
            _ = belay_set_server_name(connection, name)
        }
        guard SSL_set_fd(connection, socket.descriptor) == 1 else {
            throw TCPSocket.Failure(reason: "OpenSSL failed", isLate: true)
        }
        while true {
            ERR_clear_error()
            let result = SSL_connect(connection)
            if result == 1 { break }
            switch SSL_get_error(connection, result) {
            case SSL_ERROR_WANT_READ: try socket.waitToRead()
            case SSL_ERROR_WANT_WRITE: try socket.waitToWrite()
            default:
                let code = ERR_get_error()
                let why =
                    code == 0 ? nil : ERR_reason_error_string(code).map { String(cString: $0) }
                throw TCPSocket.Failure(
                    reason: "no TLS: \(why ?? "the connection was closed")", isLate: false)
            }
        }
        let chain = CertificateChain()
        for index in 0..<belay_sent_count(connection) {
            chain.add(belay_sent_certificate(connection, index))
        }
        return chain
    }
}
