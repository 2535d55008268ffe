import CZstd
import Glibc

/// The objects of a store, for one operation of one thread.
final class ObjectReader {
    private struct Place {
        var pack: Int
        var record: PackRecord
    }
    private let files: StoreFiles
    private var packs: [(path: String, file: Descriptor)] = []
    private var places: [ObjectID: Place] = [:]
    /// Packs that cannot be used, one sentence each.
    private(set) var damaged: [String] = []

    init(_ files: StoreFiles) throws {
        self.files = files
        for name in try files.names(in: "packs")
        where name.hasSuffix(".pack") && !name.hasPrefix(".") {
            add("packs/" + name)
        }
    }

    private func add(_ name: String) {
        do {
            let file = try files.open(name, O_RDONLY)
            let path = files.path(of: name)
            let records = try PackFormat.records(of: file, path: path)
            packs.append((path, file))
            for record in records {
                places[record.id] = Place(pack: packs.count - 1, record: record)
            }
        } catch {
            damaged.append("\(error)")
        }
    }

    func holds(_ id: ObjectID) -> Bool { id == .zeros || places[id] != nil }

    /// The raw bytes of `id`, checked against it.
    func read(_ id: ObjectID) throws -> [UInt8] {
        guard let place = places[id] else {
            throw PointError.damaged("object \(id.digest)", "it is missing from the store")
        }
        let pack = packs[place.pack]
        do {
            return try Self.read(place.record, of: pack.file, path: pack.path)
        } catch {
            throw PointError.damaged("object \(id.digest) in \(pack.path)", "\(error)")
        }
    }

    static func read(_ record: PackRecord, of file: Descriptor, path: String) throws -> [UInt8] {
        guard record.raw <= SnapshotLimits.chunkBytes, record.stored <= record.raw else {
            throw PointError.damaged("object \(record.id.digest)", "its sizes are impossible")
        }
        let stored = try PackFormat.part(
            file, Int(record.offset), Int(record.stored), Array(path.utf8))
        let raw = record.codec == 0 ? stored : try expand(stored, to: Int(record.raw))
        guard record.codec < 2, ObjectID(hashing: raw) == record.id else {
            throw PointError.damaged("object \(record.id.digest)", "its bytes do not match it")
        }
        return raw
    }

    private static func expand(_ stored: [UInt8], to count: Int) throws -> [UInt8] {
        var raw = [UInt8](repeating: 0, count: count)
        let done = ZSTD_decompress(&raw, count, stored, stored.count)
        guard ZSTD_isError(done) == 0, done == count else {
            throw PointError.damaged("an object", "its compressed bytes are damaged")
        }
        return raw
    }
}
