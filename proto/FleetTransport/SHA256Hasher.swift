import COpenSSL
package import FleetWire

/// SHA-256 over a stream of bytes, by OpenSSL.
package final class SHA256Hasher {
    private let context = EVP_MD_CTX_new()

    /// A hasher of no bytes.
    package init() {
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256 is missing")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes more bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Takes more bytes.
    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of all that was taken; begins anew.
    package func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &bytes, nil)
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
        guard let digest = Digest(bytes: bytes) else {
            preconditionFailure("32 bytes are a digest")
        }
        return digest
    }

    /// The digest of `bytes`.
    package static func digest(of bytes: [UInt8]) -> Digest {
        let hasher = SHA256Hasher()
        hasher.update(bytes)
        return hasher.finish()
    }
}
