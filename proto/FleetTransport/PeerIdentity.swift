import COpenSSL
package import FleetWire

/// Who the other side is, by its certificate.
package struct PeerIdentity: Sendable, Hashable {
    /// The part that the certificate gives it.
    package enum Role: Sendable, Hashable {
        case host(HostID)
        case coordinator(String)
    }
    /// From the URI `belay://host/<id>` or `belay://coordinator/<name>`.
    package let role: Role
    /// The serial number in lower-case hexadecimal.
    package let serial: String
    /// SHA-256 of the certificate's DER.
    package let fingerprint: Digest
    /// The end of its validity.
    package let notAfter: Timestamp
    /// The beginning of its validity.
    package let notBefore: Timestamp

    /// The host's id, or nil for a coordinator.
    package var host: HostID? {
        if case .host(let id) = role { id } else { nil }
    }

    /// Reads a certificate; throws `TLSError.identity` unless it has exactly one belay URI.
    init(certificate: OpaquePointer) throws(TLSError) {
        var names = [CChar](repeating: 0, count: 2048)
        guard belay_uri_names(certificate, &names, names.count) >= 0 else {
            throw .identity("the certificate's names are malformed")
        }
        let text = String(
            decoding: names.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let uris = text.split(separator: "\n").filter { $0.hasPrefix("belay://") }
        guard uris.count == 1, let uri = uris.first else {
            throw .identity(
                "the certificate has \(uris.count) belay:// names, it needs exactly one")
        }
        role = try Self.role(of: String(uri))
        serial = Self.serial(of: certificate)
        fingerprint = try Self.fingerprint(of: certificate)
        notBefore = Self.time(X509_get0_notBefore(certificate))
        notAfter = Self.time(X509_get0_notAfter(certificate))
    }

    private static func role(of uri: String) throws(TLSError) -> Role {
        if uri.hasPrefix("belay://host/"), let id = HostID(String(uri.dropFirst(13))) {
            return .host(id)
        }
        if uri.hasPrefix("belay://coordinator/") { return .coordinator(String(uri.dropFirst(20))) }
        throw .identity("the certificate's name \(uri) is neither a host nor a coordinator")
    }

    private static func serial(of certificate: OpaquePointer) -> String {
        guard let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else {
            return ""
        }
        defer { BN_free(number) }
        guard let text = BN_bn2hex(number) else { return "" }
        defer { CRYPTO_free(text, nil, 0) }
        return String(cString: text).lowercased()
    }

    static func fingerprint(of certificate: OpaquePointer) throws(TLSError) -> Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &bytes, &length) == 1,
            let digest = Digest(bytes: bytes)
        else { throw .identity("the certificate cannot be hashed") }
        return digest
    }

    private static func time(_ value: UnsafePointer<ASN1_TIME>?) -> Timestamp {
        var days: Int32 = 0
        var seconds: Int32 = 0
        let epoch = ASN1_TIME_set(nil, 0)
        defer { ASN1_STRING_free(epoch) }
        guard ASN1_TIME_diff(&days, &seconds, epoch, value) == 1 else {
            return Timestamp(milliseconds: 0)
        }
        return Timestamp(milliseconds: (Int64(days) * 86_400 + Int64(seconds)) * 1000)
    }
}
