import COpenSSL
import Glibc

/// SHA-256 with one context for many digests: for each small file a new one costs as much as the
/// hashing. Of one thread.
final class ObjectHasher {
    private let context = EVP_MD_CTX_new()
    private let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    init() { precondition(context != nil && algorithm != nil, "OpenSSL has no SHA-256") }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    func hash(_ bytes: UnsafeRawBufferPointer) -> ObjectID {
        begin()
        add(bytes)
        return end()
    }

    /// Begins a digest over what is added until `end`.
    func begin() {
        precondition(EVP_DigestInit_ex2(context, algorithm, nil) == 1, "SHA-256 cannot begin")
    }

    func add(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
    }

    func end() -> ObjectID {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            let bytes = out.bindMemory(to: UInt8.self)
            precondition(EVP_DigestFinal_ex(context, bytes.baseAddress, nil) == 1)
            guard let start = out.baseAddress else { preconditionFailure("32 bytes") }
            return ObjectID(loading: start)
        }
    }
}
