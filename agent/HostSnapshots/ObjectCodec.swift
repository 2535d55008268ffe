import CZstd
import FleetWire
import Glibc

/// Under which names objects lie in packs, and how their bytes become stored bytes and come back.
///
/// Everything above knows objects by the SHA-256 of their raw bytes. Without a key that is their
/// name in packs too; with a key the name is derived from it, and the stored bytes are sealed. It
/// has no state: threads share it.
struct ObjectCodec: Sendable {
    /// Stores bytes as they are.
    static let plain = ObjectCodec(key: nil)

    /// Nil for a store that is not encrypted.
    let key: StoreKey?

    /// The name in packs of the object whose raw bytes have this digest.
    func name(of id: ObjectID) -> ObjectID {
        guard let key, id != .zeros else { return id }
        return key.name(of: id)
    }

    /// Appends an object's record to `buffer`, whose first byte will stand at `start` in the pack:
    /// its header and its stored bytes, sealed if there is a key. `bytes` are compressed or raw, as
    /// `codec` says; `raw` is the length of the raw bytes.
    func append(
        _ id: ObjectID, codec: PackRecord.Codec, raw: Int, _ bytes: UnsafeRawBufferPointer,
        to buffer: inout [UInt8], at start: Int
    ) throws -> PackRecord {
        var record = PackRecord(
            id: id, codec: codec, raw: UInt32(raw), stored: UInt32(bytes.count), offset: 0)
        if let key {
            record.id = key.name(of: id)
            record.codec = try codec.sealed()
            record.stored += UInt32(Seal.overhead)
        }
        record.offset = UInt64(start + buffer.count + PackFormat.headerBytes)
        PackFormat.append(header: record, to: &buffer)
        if let key {
            try Seal(key: key, purpose: "belay object", name: record.id.bytes)
                .append(bytes, bound: PackFormat.header(record), to: &buffer)
        } else {
            buffer += bytes
        }
        return record
    }

    /// The raw bytes of a record, checked against its name. Throws `PointError`: damaged, or sealed
    /// with a key that is not this one.
    func open(
        _ record: PackRecord, _ stored: [UInt8], with decoder: ObjectDecoder = ObjectDecoder()
    ) throws -> [UInt8] {
        try record.check()
        var subject: String { "object \(record.id.digest)" }
        guard stored.count == Int(record.stored) else {
            throw PointError.damaged(subject, "it ends too early")
        }
        var bytes = stored
        if record.codec.isSealed {
            guard let key else { throw PointError.wrongKey(subject, stored, nil) }
            bytes = try Seal(key: key, purpose: "belay object", name: record.id.bytes)
                .open(stored[...], bound: PackFormat.header(record), subject)
        }
        let raw = record.codec.isCompressed ? decoder.expand(bytes, Int(record.raw)) : bytes
        guard raw.count == Int(record.raw) else {
            throw PointError.damaged(subject, "its compressed bytes are damaged")
        }
        let id = decoder.hash(raw)
        guard (record.codec.isSealed ? name(of: id) : id) == record.id else {
            throw PointError.damaged(subject, "its bytes do not match it")
        }
        return raw
    }

    // MARK: - Whole files

    /// The bytes of a small file of the store, sealed if there is a key. `purpose` is bound to it,
    /// so that no such file can stand in for another one.
    func protect(_ bytes: [UInt8], as purpose: String) throws -> [UInt8] {
        guard let key else { return bytes }
        let salt = try Seal.random(Seal.saltBytes)
        var sealed = salt
        try bytes.withUnsafeBytes {
            try Seal(key: key, purpose: "belay file", name: salt + Array(purpose.utf8))
                .append($0, bound: [], to: &sealed)
        }
        return sealed
    }

    /// What `protect` was given. Throws `PointError`: damaged, or another key's.
    func reveal(_ bytes: [UInt8], as purpose: String) throws -> [UInt8] {
        guard let key else { return bytes }
        guard bytes.count >= Seal.saltBytes else {
            throw PointError.damaged(purpose, "it is too short")
        }
        let salt = Array(bytes.prefix(Seal.saltBytes))
        return try Seal(key: key, purpose: "belay file", name: salt + Array(purpose.utf8))
            .open(bytes[Seal.saltBytes...], bound: [], purpose)
    }
}
