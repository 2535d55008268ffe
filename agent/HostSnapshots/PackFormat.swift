import FleetWire
import Glibc

/// Where an object lies within a pack; the format's section "Objects and packs".
struct PackRecord: Equatable {
    /// How the stored bytes hold the object.
    struct Codec: RawRepresentable, Hashable {
        /// As it stands in the pack; those that are not known here are refused by `check`.
        let rawValue: UInt8
        static let raw = Codec(rawValue: 0)
        static let zstd = Codec(rawValue: 1)
        /// The stored bytes name a clone file, and where in it the object lies.
        static let clone = Codec(rawValue: 2)
        static let sealedRaw = Codec(rawValue: 16)
        static let sealedZstd = Codec(rawValue: 17)

        var isSealed: Bool { self == .sealedRaw || self == .sealedZstd }
        var isCompressed: Bool { self == .zstd || self == .sealedZstd }
        fileprivate var isKnown: Bool { rawValue <= 2 || isSealed }

        /// The codec of the same bytes sealed. Throws `PointError` for clones, which cannot be.
        func sealed() throws -> Codec {
            guard rawValue < 2 else {
                throw PointError(
                    "seal", "an object", "it is a clone", "store it as bytes: clones are not sealed"
                )
            }
            return Codec(rawValue: rawValue | 16)
        }
    }

    /// The bytes of a clone record's place: the clone file's name and an offset.
    static let cloneBytes = 40

    /// Its name in packs.
    var id: ObjectID
    var codec: Codec
    var raw: UInt32
    var stored: UInt32
    /// Of the stored bytes, from the pack's start.
    var offset: UInt64

    /// Bytes that it takes in a pack, its row in the table included.
    var bytesInPack: Int {
        PackFormat.headerBytes + Int(stored) + PackFormat.recordBytes
    }

    /// True if sizes and codec are possible.
    var isPossible: Bool {
        guard codec.isKnown, raw > 0, raw <= SnapshotLimits.chunkBytes else { return false }
        switch codec {
        case .raw: return stored == raw
        case .clone: return stored == Self.cloneBytes
        case .sealedRaw: return Int(stored) == Int(raw) + Seal.overhead
        case .sealedZstd:
            return Int(stored) > Seal.overhead && Int(stored) < Int(raw) + Seal.overhead
        default: return stored > 0 && stored < raw
        }
    }

    /// Throws `PointError` unless it is possible.
    func check() throws {
        guard isPossible else {
            throw PointError.damaged("object \(id.digest)", "its sizes are impossible")
        }
    }
}

/// Where a clone file holds an object: what a record of the codec `clone` stores.
struct ClonePlace {
    static let folder = "clones"

    /// The clone file's name as bytes.
    let file: ObjectID
    var offset: UInt64

    /// Below the store.
    var name: String { Self.folder + "/" + file.digest.hex }

    /// The bytes of a record that names it.
    var stored: [UInt8] {
        var bytes = file.bytes
        bytes.append(number: offset)
        return bytes
    }

    /// The place of a chunk in the clone of a file of `size` bytes with these chunks: the name is
    /// the digest of its chunks' names and its size, so that the same content has one clone.
    init(ofChunks chunks: [ObjectID], size: UInt64, offset: UInt64) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chunks.count * 32 + 8)
        for chunk in chunks { chunk.withBytes { bytes.append(contentsOf: $0) } }
        bytes.append(number: size)
        file = ObjectID(hashing: bytes)
        self.offset = offset
    }

    init(_ stored: [UInt8]) throws {
        var reader = ByteReader(stored[...])
        file = try reader.objectID()
        offset = try reader.number(UInt64.self)
    }
}

enum PackFormat {
    static let magic = Array("BELAYPK1".utf8)
    static let ending = Array("BELAYIX1".utf8)
    static let headerBytes = 41
    static let recordBytes = 49
    static let footerBytes = 44

    static func header(_ record: PackRecord) -> [UInt8] {
        var bytes: [UInt8] = []
        append(header: record, to: &bytes)
        return bytes
    }

    static func append(header record: PackRecord, to bytes: inout [UInt8]) {
        record.id.withBytes { bytes.append(contentsOf: $0) }
        bytes.append(record.codec.rawValue)
        bytes.append(number: record.raw)
        bytes.append(number: record.stored)
    }

    static func table(_ records: [PackRecord]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * recordBytes)
        for record in records {
            append(header: record, to: &bytes)
            bytes.append(number: record.offset)
        }
        return bytes
    }

    /// The table's digest, its count of records, and the ending.
    static func footer(table: [UInt8], count: Int) -> [UInt8] {
        var bytes = ObjectID(hashing: table).bytes
        bytes.append(number: UInt32(count))
        return bytes + ending
    }

    /// The records of the pack `file`. Throws if the table is damaged.
    static func records(of file: Descriptor, path: String) throws -> [PackRecord] {
        let name = Array(path.utf8)
        let size = Int(try file.status().st_size)
        guard size >= magic.count + footerBytes else {
            throw PointError.damaged(path, "it is too short")
        }
        let tail = try part(file, size - footerBytes, footerBytes, name)
        var reader = ByteReader(tail[...])
        let digest = try reader.objectID()
        let count = Int(try reader.number(UInt32.self))
        let start = size - footerBytes - count * recordBytes
        guard Array(try reader.take(8)) == ending, start >= magic.count else {
            throw PointError.damaged(path, "its end is damaged")
        }
        let table = try part(file, start, count * recordBytes, name)
        guard ObjectID(hashing: table) == digest else {
            throw PointError.damaged(path, "its table does not match its digest")
        }
        return try table.withUnsafeBytes { rows in
            try (0..<count).map { index in
                let record = row(rows, index * recordBytes)
                guard record.offset <= UInt64(start),
                    UInt64(start) - record.offset >= record.stored
                else { throw PointError.damaged(path, "its table points outside it") }
                return record
            }
        }
    }

    private static func row(_ rows: UnsafeRawBufferPointer, _ at: Int) -> PackRecord {
        guard let start = rows.baseAddress else { preconditionFailure("it holds a row") }
        return PackRecord(
            id: ObjectID(loading: start + at), codec: PackRecord.Codec(rawValue: rows[at + 32]),
            raw: UInt32(littleEndian: rows.loadUnaligned(fromByteOffset: at + 33, as: UInt32.self)),
            stored: UInt32(
                littleEndian: rows.loadUnaligned(fromByteOffset: at + 37, as: UInt32.self)),
            offset: UInt64(
                littleEndian: rows.loadUnaligned(fromByteOffset: at + 41, as: UInt64.self)))
    }

    /// The records that the headers beside them show, whatever became of the table: each of them
    /// has still to be held against its name. Bytes that can be no header are passed over. Rows of a
    /// table look like headers; they come last, so of two with one name the first is the object.
    static func salvage(_ file: Descriptor, path: String) throws -> [PackRecord] {
        let name = Array(path.utf8)
        let size = Int(try file.status().st_size)
        guard size <= SnapshotLimits.packFileBytesMax else {
            throw PointError.damaged(path, "it is larger than a pack can be")
        }
        var records: [PackRecord] = []
        var position = magic.count
        var window = try Window(file, at: position, size: size, name)
        while position + headerBytes < size {
            try window.reach(position)
            if let record = window.record(at: position),
                Int(record.offset) + Int(record.stored) <= size
            {
                records.append(record)
                position = Int(record.offset) + Int(record.stored)
            } else {
                position += 1
            }
        }
        return records
    }

    /// A part of a pack in memory, so that looking for headers costs no call for each byte.
    private struct Window {
        private let file: Descriptor
        private let size: Int
        private let name: [UInt8]
        private var start: Int
        private var bytes: [UInt8] = []

        init(_ file: Descriptor, at position: Int, size: Int, _ name: [UInt8]) throws {
            self.file = file
            self.size = size
            self.name = name
            start = position
        }

        /// Makes sure that a header at `position` lies within it.
        mutating func reach(_ position: Int) throws {
            guard position < start || position + headerBytes > start + bytes.count else { return }
            start = position
            bytes = try part(file, position, min(1 << 16, size - position), name)
        }

        func record(at position: Int) -> PackRecord? {
            var reader = ByteReader(bytes[(position - start)...])
            guard let id = try? reader.objectID(), let codec = try? reader.number(UInt8.self),
                let raw = try? reader.number(UInt32.self),
                let stored = try? reader.number(UInt32.self)
            else { return nil }
            let record = PackRecord(
                id: id, codec: PackRecord.Codec(rawValue: codec), raw: raw, stored: stored,
                offset: UInt64(position + headerBytes))
            return record.isPossible ? record : nil
        }
    }

    static func part(
        _ file: Descriptor, _ offset: Int, _ count: Int, _ path: [UInt8]
    ) throws -> [UInt8] {
        var done = 0
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            done = try file.read(UnsafeMutableRawBufferPointer(room), at: offset, path)
            filled = done
        }
        guard done == count else { throw PointError.damaged(printable(path), "it ends too early") }
        return bytes
    }
}
