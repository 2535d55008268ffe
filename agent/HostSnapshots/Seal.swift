import COpenSSL
import Glibc

/// AES-256-GCM with a key that belongs to one name alone; the format's section "Encryption".
///
/// Sealed bytes are the key's identifier, a random nonce, the ciphertext and the tag.
struct Seal {
    static let nonceBytes = 12
    static let tagBytes = 16
    static let saltBytes = 16
    /// Bytes that something sealed is longer.
    static let overhead = StoreKey.identifierBytes + nonceBytes + tagBytes

    private let key: StoreKey
    private let secret: [UInt8]

    init(key: StoreKey, purpose: StaticString, name: [UInt8]) {
        self.key = key
        secret = key.secret(of: purpose, name)
    }

    /// Throws `PointError` if the system gives no random bytes.
    static func random(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw failure() }
        return bytes
    }

    /// Appends `plain`, sealed. `bound` is authenticated with it and not stored.
    func append(
        _ plain: UnsafeRawBufferPointer, bound: [UInt8], to buffer: inout [UInt8]
    ) throws {
        let nonce = try Self.random(Self.nonceBytes)
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        let associated = bound + key.identifier
        var count: Int32 = 0
        guard EVP_EncryptInit_ex2(context, key.cipher, secret, nonce, nil) == 1,
            EVP_EncryptUpdate(context, nil, &count, associated, Int32(associated.count)) == 1
        else { throw Self.failure() }
        buffer += key.identifier
        buffer += nonce
        let size = plain.count + Self.tagBytes
        // Beside and then copied at once: filling the buffer with zeros first costs far more.
        try withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { room in
            let out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let tag = out?.advanced(by: plain.count)
            let bytes = plain.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard
                plain.isEmpty
                    || EVP_EncryptUpdate(context, out, &count, bytes, Int32(plain.count)) == 1,
                EVP_EncryptFinal_ex(context, tag, &count) == 1,
                EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), tag) == 1
            else { throw Self.failure() }
            buffer.append(contentsOf: UnsafeRawBufferPointer(room))
        }
    }

    /// What was sealed. Throws `PointError`: damaged, or sealed with another key.
    ///
    /// The tag decides whose it is; the identifier is only believed once the tag does not fit, so
    /// damage to it alone costs nothing.
    func open(
        _ sealed: ArraySlice<UInt8>, bound: [UInt8], _ subject: String
    ) throws -> [UInt8] {
        guard sealed.count >= Self.overhead else {
            throw PointError.damaged(subject, "it is too short to be sealed")
        }
        let rest = sealed.dropFirst(StoreKey.identifierBytes)
        let nonce = Array(rest.prefix(Self.nonceBytes))
        let body = Array(rest.dropFirst(Self.nonceBytes).dropLast(Self.tagBytes))
        var tag = Array(rest.suffix(Self.tagBytes))
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        let associated = bound + key.identifier
        var plain = [UInt8](repeating: 0, count: body.count)
        var count: Int32 = 0
        guard EVP_DecryptInit_ex2(context, key.cipher, secret, nonce, nil) == 1,
            EVP_DecryptUpdate(context, nil, &count, associated, Int32(associated.count)) == 1,
            body.isEmpty
                || EVP_DecryptUpdate(context, &plain, &count, body, Int32(body.count)) == 1,
            EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), &tag) == 1
        else { throw Self.failure() }
        var nothing: UInt8 = 0
        guard EVP_DecryptFinal_ex(context, &nothing, &count) == 1 else {
            guard sealed.starts(with: key.identifier) else {
                throw PointError.wrongKey(subject, sealed, key)
            }
            throw PointError.damaged(subject, "its seal is broken")
        }
        return plain
    }

    private static func failure() -> PointError {
        ERR_clear_error()
        return PointError(
            "use", "encryption", "OpenSSL failed", "look at its configuration and at free memory")
    }
}
