import COpenSSL
import FleetWire

/// The SHA-256 of an object's raw bytes. All zeros stand for a chunk of zeros, which is not stored.
struct ObjectID: Hashable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    static let zeros = ObjectID(first: 0, second: 0, third: 0, fourth: 0)

    private init(first: UInt64, second: UInt64, third: UInt64, fourth: UInt64) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }

    /// Takes the 32 bytes at `start`.
    init(loading start: UnsafeRawPointer) {
        first = start.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        second = start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        third = start.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        fourth = start.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    /// Hashes `bytes`.
    init(hashing bytes: UnsafeRawBufferPointer) {
        self = withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            let done = EVP_Digest(
                bytes.baseAddress, bytes.count, out.baseAddress, nil, EVP_sha256(), nil)
            precondition(done == 1, "OpenSSL has no SHA-256")
            guard let start = out.baseAddress else { preconditionFailure("32 bytes") }
            return ObjectID(loading: start)
        }
    }

    init(hashing bytes: [UInt8]) { self = bytes.withUnsafeBytes { ObjectID(hashing: $0) } }

    init(_ digest: Digest) {
        func value(_ digit: UInt8) -> UInt8 { digit < 0x3A ? digit - 0x30 : digit - 0x57 }
        let digits = Array(digest.hex.utf8)
        let bytes = (0..<32).map { value(digits[$0 * 2]) << 4 | value(digits[$0 * 2 + 1]) }
        self = bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("32 bytes") }
            return ObjectID(loading: start)
        }
    }

    /// Its first 8 bytes, to find it by.
    var fingerprint: UInt64 { first }

    /// Calls `body` with its 32 bytes.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: (first, second, third, fourth)) { try body($0) }
    }

    var bytes: [UInt8] { withUnsafeBytes(of: (first, second, third, fourth)) { Array($0) } }

    var digest: Digest {
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("32 bytes") }
        return digest
    }
}

/// Takes raw chunks and gives their ids; one stores them, one only hashes.
protocol ObjectSink: AnyObject {
    func put(_ bytes: UnsafeRawBufferPointer) throws -> ObjectID
    /// True if an object can be had without reading its file again.
    func holds(_ id: ObjectID) throws -> Bool
    /// A clone of `file`, of `size` bytes and on `device`, to read instead of it and to give to
    /// `keep`; nil if it must be put chunk by chunk.
    func clone(_ file: Descriptor, size: UInt64, device: UInt64) throws -> CloneDraft?
    /// Stores what it does not hold of the chunks of a clone.
    func keep(_ clone: CloneDraft, _ chunks: [ObjectID], size: UInt64) throws
}

extension ObjectSink {
    func clone(_ file: Descriptor, size: UInt64, device: UInt64) throws -> CloneDraft? { nil }
    func keep(_ clone: CloneDraft, _ chunks: [ObjectID], size: UInt64) throws {
        preconditionFailure("it makes no clones")
    }
}

/// Hashes and keeps nothing.
final class HashingSink: ObjectSink {
    func put(_ bytes: UnsafeRawBufferPointer) throws -> ObjectID { ObjectID(hashing: bytes) }
    func holds(_ id: ObjectID) -> Bool { true }
}
