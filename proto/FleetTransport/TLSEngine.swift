import COpenSSL
import FleetWire

/// One TLS connection without any I/O: bytes of the network go in and out through memory.
///
/// The owner feeds what arrived (`receive`), drives (`handshake`, `read`, `write`), and sends what
/// `takeOutput` gives after every call, after errors too, since an alert may wait there.
package final class TLSEngine {
    private let context: TLSContext
    private let connection: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// A connection at its beginning; throws `TLSError.setup`.
    package init(_ context: TLSContext) throws(TLSError) {
        guard let connection = SSL_new(context.pointer.raw) else {
            throw .setup(OpenSSLErrors.drain())
        }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(connection)
            throw .setup(OpenSSLErrors.drain())
        }
        self.context = context
        self.connection = connection
        self.incoming = incoming
        self.outgoing = outgoing
        SSL_set_bio(connection, incoming, outgoing)
        if context.isServer {
            SSL_set_accept_state(connection)
        } else {
            context.resume(connection)
            SSL_set_connect_state(connection)
        }
    }

    deinit { SSL_free(connection) }

    /// Takes bytes from the network.
    package func receive(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        BIO_write(incoming, start, Int32(bytes.count))
    }

    /// Bytes for the network; empty if there are none.
    package func takeOutput() -> [UInt8] {
        let waiting = belay_bio_pending(outgoing)
        guard waiting > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: waiting)
        let taken = BIO_read(outgoing, &bytes, Int32(waiting))
        return Array(bytes.prefix(max(0, Int(taken))))
    }

    /// Goes on with the handshake; true once it is complete, false while bytes are missing.
    /// Throws `TLSError.handshake` with the reason in words.
    package func handshake() throws(TLSError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(connection)
        if result == 1 { return true }
        switch SSL_get_error(connection, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        default: throw .handshake(handshakeFailure())
        }
    }

    private func handshakeFailure() -> String {
        let verdict = SSL_get_verify_result(connection)
        let words = OpenSSLErrors.drain()
        guard verdict != Int(X509_V_OK) else { return words }
        let reason = X509_verify_cert_error_string(verdict).map { String(cString: $0) } ?? ""
        let skew = [Int(X509_V_ERR_CERT_NOT_YET_VALID), Int(X509_V_ERR_CERT_HAS_EXPIRED)]
        let hint = skew.contains(verdict) ? " (if it should be valid, compare both clocks)" : ""
        return "\(words): \(reason)\(hint)"
    }

    /// Plain bytes that arrived: at most 16 KiB, empty if none wait, nil after a clean close.
    package func read() throws(TLSError) -> [UInt8]? {
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: TransportLimits.readChunkBytes)
        let count = SSL_read(connection, &bytes, Int32(bytes.count))
        if count > 0 { return Array(bytes.prefix(Int(count))) }
        switch SSL_get_error(connection, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return []
        case SSL_ERROR_ZERO_RETURN: return nil
        default: throw .broken(OpenSSLErrors.drain())
        }
    }

    /// Encrypts `bytes`; they wait in `takeOutput`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(TLSError) {
        var sent = 0
        while sent < bytes.count {
            ERR_clear_error()
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            let count = SSL_write(connection, rest.baseAddress, Int32(clamping: rest.count))
            guard count > 0 else { throw .broken(OpenSSLErrors.drain()) }
            sent += Int(count)
        }
    }

    /// Says goodbye; the alert waits in `takeOutput`.
    package func close() { SSL_shutdown(connection) }

    /// The protocol that was agreed on, or nil.
    package var service: TLSContext.Service? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(connection, &name, &length)
        guard let name else { return nil }
        let bytes = UnsafeBufferPointer(start: name, count: Int(length))
        return TLSContext.Service(rawValue: String(decoding: bytes, as: UTF8.self))
    }

    /// True if an earlier session was resumed.
    package var wasResumed: Bool { SSL_session_reused(connection) == 1 }

    /// The peer, after the handshake: on the server a host (nil only for enrolment), on a client
    /// the coordinator. Throws `TLSError.identity` for anything else, so that neither a host can
    /// pass for the coordinator nor a stranger for a host.
    package func peer() throws(TLSError) -> PeerIdentity? {
        guard let agreed = service else { throw .identity("no protocol was agreed on") }
        guard let certificate = belay_peer_certificate(connection) else {
            guard context.isServer, agreed == .enrolment else {
                throw .identity("the peer showed no certificate")
            }
            return nil
        }
        defer { X509_free(certificate) }
        let identity = try PeerIdentity(certificate: certificate)
        // A resumed session skips OpenSSL's own check of the validity.
        guard X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0 else {
            throw .identity("the peer's certificate has expired since its session began")
        }
        switch (identity.role, context.isServer) {
        case (.host, true): break
        case (.coordinator, false): try checkPin()
        case (.coordinator(let name), true):
            throw .identity("a coordinator's certificate (\(name)) where a host's belongs")
        case (.host(let id), false):
            throw .identity("the host \(id) answered where the coordinator belongs")
        }
        guard
            context.isServer || SSL_get_verify_result(connection) == Int(X509_V_OK)
                || context.isPinned
        else { throw .identity("the coordinator's certificate was not verified") }
        return identity
    }

    private func checkPin() throws(TLSError) {
        guard case .pinned(let expected) = context.trust else { return }
        for index in 0..<belay_chain_count(connection) {
            guard let candidate = belay_chain_at(connection, index),
                try PeerIdentity.fingerprint(of: candidate) == expected
            else { continue }
            guard belay_verify_against(connection, candidate) == 1 else { break }
            return
        }
        throw .identity(
            "the coordinator's authority is not the one that the token names; "
                + "compare the address with the token's coordinator")
    }
}

extension TLSContext {
    var isPinned: Bool {
        if case .pinned = trust { true } else { false }
    }
}
