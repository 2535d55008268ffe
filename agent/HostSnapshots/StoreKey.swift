import COpenSSL
import Glibc

/// The key of an encrypted store, read from its key file; the format's section "Encryption".
///
/// Its 32 bytes are only used to derive others: an identifier that may be known, and for each object
/// a name and a key of its own.
// Nothing changes after init: OpenSSL's fetched algorithms are shared between threads by design, and
// the prepared context is only ever duplicated.
final class StoreKey: @unchecked Sendable {
    static let bytes = 32
    static let identifierBytes = 8
    /// Says which key sealed something, and nothing else about it.
    let identifier: [UInt8]
    /// Where it was read.
    let path: String
    let cipher: OpaquePointer
    private let algorithm: OpaquePointer
    private let prepared: OpaquePointer

    /// The identifier in hexadecimal, as manifests and errors name it.
    var name: String { Self.text(of: identifier) }

    static func text(of identifier: some Sequence<UInt8>) -> String {
        identifier.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Throws `PointError` if this OpenSSL has not the algorithms.
    init(_ secret: [UInt8], path: String) throws {
        precondition(secret.count == Self.bytes, "a key has 32 bytes")
        guard let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil),
            let algorithm = EVP_MAC_fetch(nil, "HMAC", nil),
            let prepared = Self.context(algorithm, secret)
        else {
            throw PointError(
                "use", "encryption", "this OpenSSL has no AES-256-GCM or HMAC-SHA256",
                "let its configuration allow them")
        }
        self.cipher = cipher
        self.algorithm = algorithm
        self.prepared = prepared
        self.path = path
        identifier = Array(
            Self.code(prepared, "belay key identifier", []).prefix(Self.identifierBytes))
    }

    deinit {
        EVP_MAC_CTX_free(prepared)
        EVP_MAC_free(algorithm)
        EVP_CIPHER_free(cipher)
    }

    /// The name in packs of the object whose raw bytes have this digest.
    func name(of id: ObjectID) -> ObjectID {
        Self.code(prepared, "belay object name", id.bytes).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { preconditionFailure("32 bytes") }
            return ObjectID(loading: start)
        }
    }

    /// The key that seals what has this name alone; `purpose` says what it is.
    func secret(of purpose: StaticString, _ name: [UInt8]) -> [UInt8] {
        Self.code(prepared, purpose, name)
    }

    private static func context(_ algorithm: OpaquePointer, _ secret: [UInt8]) -> OpaquePointer? {
        guard let context = EVP_MAC_CTX_new(algorithm) else { return nil }
        var digest = Array("SHA256".utf8CString)
        let done = digest.withUnsafeMutableBufferPointer { name in
            let parameters = [
                OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_init(context, secret, secret.count, parameters)
        }
        guard done == 1 else {
            EVP_MAC_CTX_free(context)
            return nil
        }
        return context
    }

    /// HMAC-SHA256 over `purpose`, a NUL and `bytes`.
    private static func code(
        _ prepared: OpaquePointer, _ purpose: StaticString, _ bytes: [UInt8]
    ) -> [UInt8] {
        guard let context = EVP_MAC_CTX_dup(prepared) else { preconditionFailure("no memory") }
        defer { EVP_MAC_CTX_free(context) }
        var code = [UInt8](repeating: 0, count: 32)
        var count = 0
        // A static string ends in a NUL, which is taken too: so no purpose is another one's start.
        let done =
            EVP_MAC_update(context, purpose.utf8Start, purpose.utf8CodeUnitCount + 1) == 1
            && EVP_MAC_update(context, bytes, bytes.count) == 1
            && EVP_MAC_final(context, &code, &count, code.count) == 1
        precondition(done && count == 32, "HMAC-SHA256 worked when the key was made")
        return code
    }
}

extension StoreKey {
    /// Reads a key file: 32 bytes, or 64 hexadecimal digits and perhaps a newline.
    ///
    /// Throws `PointError` if it is missing, somebody else could read or replace it, or it holds
    /// anything else; no error shows what it holds.
    static func read(_ path: String, _ calls: FileCalls) throws -> StoreKey {
        let bytes = Array(path.utf8)
        func refuse(_ why: String, _ remedy: String) -> PointError {
            PointError("use the key file", printable(bytes), why, remedy)
        }
        let opened = calls.openat(
            AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        guard opened >= 0 else {
            let code = errno
            throw refuse(
                String(cString: strerror(code)),
                code == ENOENT
                    ? "bring it back from where you keep it: without it sealed points are lost"
                    : "let key_file in settings.json name a file that the agent may read")
        }
        let file = Descriptor(opened, calls)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw refuse("it is not a regular file", "name the file itself")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw refuse(
                "it belongs to user \(status.st_uid)", "chown it to the user of the agent")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw refuse("others may read or write it", "chmod 600 it")
        }
        guard (32...66).contains(Int(status.st_size)) else {
            throw refuse("it has \(status.st_size) bytes", Self.remedy)
        }
        let text = try PackFormat.part(file, 0, Int(status.st_size), bytes)
        guard let secret = text.count == 32 ? text : unhex(text) else {
            throw refuse("it holds neither 32 bytes nor 64 hexadecimal digits", Self.remedy)
        }
        return try StoreKey(secret, path: path)
    }

    private static let remedy = "make one with: openssl rand -hex 32"

    private static func unhex(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
        guard digits.count == 64 else { return nil }
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count == 64 else { return nil }
        return (0..<32).map { UInt8(values[$0 * 2] << 4 | values[$0 * 2 + 1]) }
    }
}
