import Glibc

/// The objects of a store, for one operation of one thread. While it lives no pack is removed.
final class ObjectReader {
    private struct Pack {
        var name: String
        var file: Descriptor?
        var lastUse = 0
    }

    let codec: ObjectCodec
    private let files: StoreFiles
    private let lock: Descriptor?
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
    /// gives `isLocking: false`.
    init(
        _ files: StoreFiles, codec: ObjectCodec = .plain, isLocking: Bool = true
    ) throws {
        self.files = files
        self.codec = codec
        lock = isLocking ? try StoreLock.objectsInUse(files) : nil
        for name in try Self.names(files) { add(name) }
    }

    /// The names of all packs, sorted.
    static func names(_ files: StoreFiles) throws -> [String] {
        try files.names(in: "packs").filter { $0.hasSuffix(".pack") && !$0.hasPrefix(".") }
    }

    private func add(_ name: String) {
        packs.append(Pack(name: name))
        do {
            let file = try file(packs.count - 1)
            let path = files.path(of: "packs/" + name)
            do {
                for record in try PackFormat.records(of: file, path: path) {
                    table.add(record, pack: packs.count - 1)
                }
            } catch let error as PointError where error.isDamage {
                damaged[name] = error.cause
                for record in try PackFormat.salvage(file, path: path)
                where !(table.all(record.id).contains { $0.pack == packs.count - 1 }) {
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
        let record = PackRecord(
            id: name, codec: place.codec, raw: place.raw, stored: place.stored,
            offset: place.offset)
        let pack = packs[Int(place.pack)]
        do {
            let file = try file(Int(place.pack))
            return try Self.read(record, of: file, files, codec, pack.name)
        } catch let error as PointError where error.isDamage {
            throw PointError.damaged(
                "object \(name.digest) in \(files.path(of: "packs/" + pack.name))", error.cause)
        }
    }

    /// The raw bytes of one record, checked against its name.
    static func read(
        _ record: PackRecord, of file: Descriptor, _ files: StoreFiles, _ codec: ObjectCodec,
        _ pack: String
    ) throws -> [UInt8] {
        try record.check()
        let path = Array(files.path(of: "packs/" + pack).utf8)
        let stored = try PackFormat.part(
            file, Int(clamping: record.offset), Int(record.stored), path)
        return try codec.open(record, stored)
    }
}
