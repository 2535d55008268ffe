import COpenSSL
package import FleetWire

/// A host's new key and its request for a certificate, made on the host; the key never leaves it.
package struct CertificateRequest: Sendable {
    /// The private key, PEM, P-256.
    package let key: String
    /// The request, PEM, for the URI `belay://host/<id>`.
    package let request: String

    /// Makes a key and signs a request with it; throws `TLSError.setup`.
    package init(for host: HostID) throws(TLSError) {
        guard let pair = belay_new_p256_key() else { throw .setup(OpenSSLErrors.drain()) }
        defer { EVP_PKEY_free(pair) }
        try self.init(for: host, signedBy: pair)
    }

    /// Signs a request with a key that was made before, PEM; throws `TLSError.setup`.
    package init(for host: HostID, key: String) throws(TLSError) {
        let pair = try PEM.privateKey(key)
        defer { EVP_PKEY_free(pair) }
        try self.init(for: host, signedBy: pair)
    }

    private init(for host: HostID, signedBy pair: OpaquePointer) throws(TLSError) {
        guard let csr = X509_REQ_new() else { throw .setup(OpenSSLErrors.drain()) }
        defer { X509_REQ_free(csr) }
        let name = X509_REQ_get_subject_name(csr)
        let common = String(host.rawValue.prefix(64))
        guard X509_REQ_set_version(csr, 0) == 1,
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, -1, -1, 0) == 1,
            belay_request_add_uri(csr, "belay://host/\(host)") == 1,
            X509_REQ_set_pubkey(csr, pair) == 1, X509_REQ_sign(csr, pair, EVP_sha256()) > 0
        else { throw .setup(OpenSSLErrors.drain()) }
        key = try Self.text { PEM_write_bio_PrivateKey($0, pair, nil, nil, 0, nil, nil) }
        request = try Self.text { PEM_write_bio_X509_REQ($0, csr) }
    }

    private static func text(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .setup(OpenSSLErrors.drain()) }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw .setup(OpenSSLErrors.drain()) }
        return PEM.text(of: bio)
    }

    /// Who a certificate says that its holder is; throws `TLSError`.
    package static func describe(certificate text: String) throws(TLSError) -> PeerIdentity {
        let certificates = try PEM.certificates(text)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard let first = certificates.first, let certificate = first else {
            throw .setup("there is no certificate in the text")
        }
        return try PeerIdentity(certificate: certificate)
    }
}
