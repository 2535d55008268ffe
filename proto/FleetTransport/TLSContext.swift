import COpenSSL
package import FleetWire
import Synchronization

/// What all connections of one side share: certificate, key, authority, sessions.
package final class TLSContext: Sendable {
    /// The protocols of the port, by ALPN.
    package enum Service: String, Sendable, CaseIterable {
        /// Frames between an agent and the coordinator.
        case frames = "belay/1"
        /// Artifacts.
        case blobs = "http/1.1"
        /// A host that has no certificate yet; the only one that asks for none.
        case enrolment = "belay-enroll/1"
    }

    /// A certificate with its key and the authority that both sides trust, all PEM.
    package struct Credentials: Sendable {
        /// The certificate, then what leads to the authority.
        package var chain: String
        /// The private key.
        package var key: String
        /// The authority's certificate.
        package var authority: String
        /// Credentials of these texts.
        package init(chain: String, key: String, authority: String) {
            self.chain = chain
            self.key = key
            self.authority = authority
        }
    }

    /// What a client demands of the server.
    enum Trust: Sendable {
        case authority
        case pinned(Digest)
    }

    let isServer: Bool
    let trust: Trust
    let service: Service?
    let pointer: Handle
    private let session = Mutex<Handle?>(nil)

    // Proof: SSL_CTX and SSL_SESSION count references atomically and are read-only once set up.
    struct Handle: @unchecked Sendable { let raw: OpaquePointer }

    private init(isServer: Bool, trust: Trust, service: Service?) throws(TLSError) {
        guard let context = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw .setup(OpenSSLErrors.drain())
        }
        self.isServer = isServer
        self.trust = trust
        self.service = service
        pointer = Handle(raw: context)
        guard belay_ctx_tls13_only(context) == 1 else { throw .setup(OpenSSLErrors.drain()) }
        belay_ctx_release_buffers(context)
    }

    /// The coordinator's side: client certificates are demanded except for enrolment.
    package static func server(_ credentials: Credentials) throws(TLSError) -> TLSContext {
        let context = try TLSContext(isServer: true, trust: .authority, service: nil)
        try context.load(credentials)
        let raw = context.pointer.raw
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        let name = Array("belay".utf8)
        SSL_CTX_set_session_id_context(raw, name, UInt32(name.count))
        SSL_CTX_set_num_tickets(raw, 1)
        SSL_CTX_set_alpn_select_cb(raw, selectService, nil)
        return context
    }

    /// An enrolled agent's side.
    package static func client(
        _ credentials: Credentials, service: Service
    ) throws(TLSError) -> TLSContext {
        let context = try TLSContext(isServer: false, trust: .authority, service: service)
        try context.load(credentials)
        SSL_CTX_set_verify(context.pointer.raw, SSL_VERIFY_PEER, nil)
        context.keepSessions()
        try context.offer(service)
        return context
    }

    /// A host that enrols: it has no certificate, and trusts the authority with this fingerprint.
    package static func enrolling(pinned authority: Digest) throws(TLSError) -> TLSContext {
        let context = try TLSContext(
            isServer: false, trust: .pinned(authority), service: .enrolment)
        SSL_CTX_set_verify(context.pointer.raw, SSL_VERIFY_NONE, nil)
        try context.offer(.enrolment)
        return context
    }

    deinit {
        session.withLock { if let kept = $0 { SSL_SESSION_free(kept.raw) } }
        SSL_CTX_free(pointer.raw)
    }

    private func offer(_ service: Service) throws(TLSError) {
        let name = Array(service.rawValue.utf8)
        let list = [UInt8(name.count)] + name
        guard SSL_CTX_set_alpn_protos(pointer.raw, list, UInt32(list.count)) == 0 else {
            throw .setup("the protocol name cannot be offered")
        }
    }

    private func load(_ credentials: Credentials) throws(TLSError) {
        let raw = pointer.raw
        var certificates = try PEM.certificates(credentials.chain)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard !certificates.isEmpty else { throw .setup("there is no certificate") }
        let leaf = certificates.removeFirst()
        defer { X509_free(leaf) }
        guard SSL_CTX_use_certificate(raw, leaf) == 1 else { throw .setup(OpenSSLErrors.drain()) }
        for certificate in certificates
        where SSL_CTX_ctrl(
            raw, SSL_CTRL_CHAIN_CERT, 1, certificate.map(UnsafeMutableRawPointer.init)) != 1
        {
            throw .setup(OpenSSLErrors.drain())
        }
        let key = try PEM.privateKey(credentials.key)
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(raw, key) == 1, SSL_CTX_check_private_key(raw) == 1 else {
            throw .setup("the key does not belong to the certificate: \(OpenSSLErrors.drain())")
        }
        let authorities = try PEM.certificates(credentials.authority)
        defer { for authority in authorities { X509_free(authority) } }
        guard !authorities.isEmpty else { throw .setup("there is no authority's certificate") }
        for authority in authorities
        where X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), authority) != 1 {
            throw .setup(OpenSSLErrors.drain())
        }
    }

    private func keepSessions() {
        belay_ctx_client_sessions(pointer.raw)
        let me = Unmanaged.passUnretained(self).toOpaque()
        SSL_CTX_set_ex_data(pointer.raw, 0, me)
        SSL_CTX_sess_set_new_cb(pointer.raw) { connection, session in
            guard let session, let context = SSL_get_SSL_CTX(connection),
                let owner = SSL_CTX_get_ex_data(context, 0)
            else { return 0 }
            Unmanaged<TLSContext>.fromOpaque(owner).takeUnretainedValue().keep(session)
            return 1
        }
    }

    private func keep(_ fresh: OpaquePointer) {
        let fresh = Handle(raw: fresh)
        session.withLock { kept in
            if let kept { SSL_SESSION_free(kept.raw) }
            kept = fresh
        }
    }

    /// Gives `connection` the session of an earlier one, so that its handshake is shorter.
    func resume(_ connection: OpaquePointer) {
        let connection = Handle(raw: connection)
        session.withLock { if let kept = $0 { SSL_set_session(connection.raw, kept.raw) } }
    }
}

/// Chooses among the client's protocols; anything but enrolment keeps the demand for a certificate.
private func selectService(
    connection: OpaquePointer?, out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    outLength: UnsafeMutablePointer<UInt8>?, offered: UnsafePointer<UInt8>?, length: UInt32,
    argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered, let out, let outLength else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    var at = 0
    while at < Int(length) {
        let size = Int(offered[at])
        guard size > 0, at + 1 + size <= Int(length) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        let name = UnsafeBufferPointer(start: offered + at + 1, count: size)
        if let service = TLSContext.Service(rawValue: String(decoding: name, as: UTF8.self)) {
            if service == .enrolment { SSL_set_verify(connection, SSL_VERIFY_NONE, nil) }
            out.pointee = name.baseAddress
            outLength.pointee = UInt8(size)
            return SSL_TLSEXT_ERR_OK
        }
        at += 1 + size
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
