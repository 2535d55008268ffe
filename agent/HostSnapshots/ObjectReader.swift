import FleetWire
import Glibc

/// The objects of a store, for one operation of one thread. While it lives no pack is removed.
final class ObjectReader {
    private struct Pack {
        var name: String
        /// Where it lies, for errors.
        var path: [UInt8]
        var file: Descriptor?
        var lastUse = 0
    }

    let codec: ObjectCodec
    private let decoder = ObjectDecoder()
    private let files: StoreFiles
    private let lock: Descriptor?
    /// Names in packs of the objects that are known; nil for all.
    private let wanted: Set<ObjectID>?
    private var packs: [Pack] = []
    private var opened = 0
    private var uses = 0
    private var table = ObjectTable()
    /// Packs whose table cannot be used, with why; what their records' headers show is used instead.
    private(set) var damaged: [String: String] = [:]

    /// Reads the tables of all packs. Throws `PointError` if they cannot be listed; a damaged pack
    /// does not keep the others from being read.
    ///
    /// `codec` is that of the points to be read or written. A prune, which holds the lock itself,
    /// gives `isLocking: false`. With `wanted` it knows those objects alone, and takes no memory for
    /// all others.
    init(
        _ files: StoreFiles, codec: ObjectCodec = .plain, isLocking: Bool = true,
        wanted: [ObjectID]? = nil
    ) throws {
        self.files = files
        self.codec = codec
        self.wanted = wanted.map { Set($0.map(codec.name(of:))) }
        lock = isLocking ? try StoreLock.objectsInUse(files) : nil
        for name in try Self.names(files) { add(name) }
    }

    /// One of the same objects for another thread, without reading the tables again.
    init(sharing other: ObjectReader) {
        files = other.files
        codec = other.codec
        lock = other.lock
        wanted = other.wanted
        packs = other.packs.map { Pack(name: $0.name, path: $0.path) }
        table = other.table
        damaged = other.damaged
    }

    /// The names of all packs, sorted.
    static func names(_ files: StoreFiles) throws -> [String] {
        try files.names(in: "packs").filter { $0.hasSuffix(".pack") && !$0.hasPrefix(".") }
    }

    private func add(_ name: String) {
        packs.append(Pack(name: name, path: Array(files.path(of: "packs/" + name).utf8)))
        do {
            let file = try file(packs.count - 1)
            let path = files.path(of: "packs/" + name)
            do {
                for record in try PackFormat.records(of: file, path: path)
                where wanted?.contains(record.id) ?? true {
                    table.add(record, pack: packs.count - 1)
                }
            } catch let error as PointError where error.isDamage {
                damaged[name] = error.cause
                for record in try PackFormat.salvage(file, path: path)
                where wanted?.contains(record.id) ?? true
                    && !(table.all(record.id).contains { $0.pack == packs.count - 1 })
                {
                    table.add(record, pack: packs.count - 1)
                }
            }
        } catch {
            damaged[name] = (error as? PointError)?.cause ?? "\(error)"
        }
    }

    /// The pack's file: at most `packsOpenMax` are held open.
    private func file(_ index: Int) throws -> Descriptor {
        uses += 1
        packs[index].lastUse = uses
        if let file = packs[index].file { return file }
        if opened >= SnapshotLimits.packsOpenMax {
            let open = packs.indices.filter { packs[$0].file != nil }
            if let oldest = open.min(by: { packs[$0].lastUse < packs[$1].lastUse }) {
                packs[oldest].file = nil
                opened -= 1
            }
        }
        let file = try files.open("packs/" + packs[index].name, O_RDONLY | O_NOFOLLOW)
        packs[index].file = file
        opened += 1
        return file
    }

    /// True if a pack's table names `id`, as this reader's codec stores it.
    func holds(_ id: ObjectID) -> Bool { id == .zeros || table.first(codec.name(of: id)) != nil }

    /// The name of the pack that holds `id`, and how many bytes it takes there; nil if none does.
    func place(of id: ObjectID) -> (pack: String, stored: Int)? {
        table.first(codec.name(of: id)).map { (packs[Int($0.pack)].name, Int($0.stored)) }
    }

    /// The raw bytes of `id`, checked against it. If several packs hold it, one good one is enough.
    func read(_ id: ObjectID) throws -> [UInt8] {
        let name = codec.name(of: id)
        guard let first = table.first(name) else {
            throw PointError.damaged("object \(name.digest)", "it is missing from the store")
        }
        do {
            return try read(name, first)
        } catch {
            for other in table.all(name).dropFirst() {
                if let bytes = try? read(name, other) { return bytes }
            }
            throw error
        }
    }

    private func read(_ name: ObjectID, _ place: ObjectTable.Place) throws -> [UInt8] {
        let record = Self.record(name, place)
        let pack = packs[Int(place.pack)]
        do {
            let file = try file(Int(place.pack))
            return try Self.read(record, of: file, files, codec, pack.path, decoder)
        } catch let error as PointError where error.isDamage || error.isWrongKey {
            // A record of this name is of this reader's key, whatever its identifier says.
            throw PointError.damaged(
                "object \(name.digest) in \(String(decoding: pack.path, as: UTF8.self))",
                error.isDamage ? error.cause : "its seal is broken")
        }
    }

    private static func record(_ name: ObjectID, _ place: ObjectTable.Place) -> PackRecord {
        PackRecord(
            id: name, codec: place.codec, raw: place.raw, stored: place.stored,
            offset: place.offset)
    }

    /// Looks at the header of `id` in the pack of `place(of:)`, whose headers are given. Throws
    /// `PointError` if it cannot be read for another reason than damage.
    func look(at id: ObjectID, _ headers: inout PackHeaders) throws {
        let name = codec.name(of: id)
        guard let place = table.first(name) else { return }
        try headers.look(
            at: Self.record(name, place), of: try file(Int(place.pack)),
            files.path(of: "packs/" + packs[Int(place.pack)].name))
    }

    /// The clone file that holds most of the chunks of a file at their places in it, to be cloned
    /// instead of copied; nil if none does, or the one that would is not there.
    func cloneFile(of chunks: [ObjectID]) -> Descriptor? { clone(of: chunks)?.file }

    /// The same, and how many of the chunks it holds at their places.
    func clone(of chunks: [ObjectID]) -> (file: Descriptor, chunks: Int)? {
        var counts: [ObjectID: Int] = [:]
        var best: (place: ClonePlace, count: Int)?
        for (index, chunk) in chunks.enumerated() where chunk != .zeros {
            guard let found = table.first(codec.name(of: chunk)), found.codec == .clone,
                let pack = try? file(Int(found.pack)),
                let stored = try? PackFormat.part(
                    pack, Int(clamping: found.offset), PackRecord.cloneBytes, []),
                let place = try? ClonePlace(stored),
                place.offset == UInt64(index) * UInt64(SnapshotLimits.chunkBytes)
            else { continue }
            counts[place.file, default: 0] += 1
            if counts[place.file, default: 0] > best?.count ?? 0 {
                best = (place, counts[place.file, default: 0])
            }
        }
        guard let best, let file = try? files.open(best.place.name, O_RDONLY | O_NOFOLLOW) else {
            return nil
        }
        return (file, best.count)
    }

    /// The raw bytes of one record, checked against its name.
    static func read(
        _ record: PackRecord, of file: Descriptor, _ files: StoreFiles, _ codec: ObjectCodec,
        _ path: [UInt8], _ decoder: ObjectDecoder
    ) throws -> [UInt8] {
        try record.check()
        let stored = try PackFormat.part(
            file, Int(clamping: record.offset), Int(record.stored), path)
        guard record.codec == .clone else { return try codec.open(record, stored, with: decoder) }
        return try clone(record, try ClonePlace(stored), files)
    }

    private static func clone(
        _ record: PackRecord, _ place: ClonePlace, _ files: StoreFiles
    ) throws -> [UInt8] {
        let subject = "object \(record.id.digest) in clone \(place.file.digest.hex)"
        do {
            let file = try files.open(place.name, O_RDONLY | O_NOFOLLOW)
            let bytes = try PackFormat.part(
                file, Int(clamping: place.offset), Int(record.raw),
                Array(files.path(of: place.name).utf8))
            if ObjectID(hashing: bytes) == record.id { return bytes }
        } catch let error as PointError where error.code == ENOENT || error.isDamage {
            throw PointError.damaged(subject, error.cause)
        }
        throw PointError.damaged(subject, "its bytes do not match it")
    }
}
