import Glibc

/// Where an object lies within a pack; the format's section "Packs".
struct PackRecord {
    var id: ObjectID
    /// 0 raw, 1 zstd.
    var codec: UInt8
    var raw: UInt32
    var stored: UInt32
    /// Of the stored bytes, from the pack's start.
    var offset: UInt64
}

enum PackFormat {
    static let magic = Array("BELAYPK1".utf8)
    static let ending = Array("BELAYIX1".utf8)
    static let recordBytes = 49
    static let footerBytes = 44

    static func header(_ record: PackRecord) -> [UInt8] {
        var bytes = record.id.bytes
        bytes.append(record.codec)
        bytes.append(number: record.raw)
        bytes.append(number: record.stored)
        return bytes
    }

    static func table(_ records: [PackRecord]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * recordBytes)
        for record in records {
            bytes += header(record)
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
        var rows = ByteReader(table[...])
        return try (0..<count).map { _ in
            PackRecord(
                id: try rows.objectID(), codec: try rows.number(UInt8.self),
                raw: try rows.number(UInt32.self), stored: try rows.number(UInt32.self),
                offset: try rows.number(UInt64.self))
        }
    }

    static func part(
        _ file: Descriptor, _ offset: Int, _ count: Int, _ path: [UInt8]
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let done = try bytes.withUnsafeMutableBytes { try file.read($0, at: offset, path) }
        guard done == count else { throw PointError.damaged(printable(path), "it ends too early") }
        return bytes
    }
}
