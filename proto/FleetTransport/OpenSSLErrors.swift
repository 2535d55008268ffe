import COpenSSL

/// OpenSSL's queue of errors, in words.
enum OpenSSLErrors {
    /// Takes all errors of this thread; "unknown error" if there are none.
    static func drain() -> String {
        var words: [String] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            var buffer = [CChar](repeating: 0, count: 256)
            if let reason = ERR_reason_error_string(code) {
                words.append(String(cString: reason))
            } else {
                ERR_error_string_n(code, &buffer, buffer.count)
                words.append(
                    String(
                        decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
                        as: UTF8.self))
            }
        }
        return words.isEmpty ? "unknown error" : words.joined(separator: "; ")
    }
}

/// Texts with `-----BEGIN …-----`.
enum PEM {
    /// All certificates of a text, in order; the caller frees each.
    static func certificates(_ text: String) throws(TLSError) -> [OpaquePointer?] {
        let bio = try reader(of: text)
        defer { BIO_free(bio) }
        var found: [OpaquePointer?] = []
        while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(certificate) }
        ERR_clear_error()
        return found
    }

    /// The private key of a text; the caller frees it.
    static func privateKey(_ text: String) throws(TLSError) -> OpaquePointer {
        let bio = try reader(of: text)
        defer { BIO_free(bio) }
        guard let key = PEM_read_bio_PrivateKey(bio, nil, nil, nil) else {
            throw .setup("the private key cannot be read: \(OpenSSLErrors.drain())")
        }
        return key
    }

    /// A memory BIO that holds its own copy of a text; the caller frees it.
    private static func reader(of text: String) throws(TLSError) -> OpaquePointer {
        let bytes = Array(text.utf8)
        guard let bio = BIO_new(BIO_s_mem()) else { throw .setup(OpenSSLErrors.drain()) }
        guard BIO_write(bio, bytes, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count)
        else {
            BIO_free(bio)
            throw .setup("the PEM text is empty")
        }
        return bio
    }

    /// What was written to a memory BIO.
    static func text(of bio: OpaquePointer) -> String {
        var start: UnsafeMutablePointer<CChar>?
        let count = belay_bio_memory(bio, &start)
        guard let start, count > 0 else { return "" }
        return start.withMemoryRebound(to: UInt8.self, capacity: count) {
            String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
        }
    }
}
