import CZstd
import FleetWire
import Glibc

/// Stores objects in packs: beside, read back, synced, renamed. Of one thread; several write packs
/// of their own at the same time, and `KnownObjects` sees that no object is stored twice.
final class PackWriter: ObjectSink {
    private let files: StoreFiles
    private let known: KnownObjects
    /// Nil if files are never cloned.
    private let clones: CloneKeeper?
    /// Of the scratch files: several writers of one process have different ones.
    private let number: Int
    /// Called before the first byte is written; throws if there is no space for the capture.
    private let beforeFirstWrite: () throws -> Void
    /// Asked before each object.
    private let stop: StopHook
    private let hasher = ObjectHasher()
    private let context = ZSTD_createCCtx()
    private let verifier: PackVerifier
    private let compressed = UnsafeMutableRawBufferPointer.allocate(
        byteCount: ZSTD_compressBound(SnapshotLimits.chunkBytes), alignment: 16)
    private var records: [PackRecord] = []
    /// How many of `records` are written and read back.
    private var verified = 0
    /// What the records of clones store that are not read back yet.
    private var places: [ObjectID: [UInt8]] = [:]
    private var file: Descriptor?
    private var buffer: [UInt8] = []
    /// Bytes of the present pack, those in `buffer` included.
    private var length = 0
    /// Packs that are written and read back, and wait for their sync.
    private var closed: [(file: Descriptor, name: String, beside: String)] = []
    private var packs = 0
    /// The names of the packs that were made.
    private(set) var made: [String] = []

    private var besideName: String { "packs/.pack.\(packs)-\(number).\(getpid())" }
    private func whole(_ name: String) -> [UInt8] { Array(files.path(of: name).utf8) }

    init(
        _ files: StoreFiles, known: KnownObjects, clones: CloneKeeper? = nil, number: Int = 0,
        stop: StopHook = StopHook(), beforeFirstWrite: @escaping () throws -> Void = {}
    ) {
        self.files = files
        self.known = known
        self.clones = clones
        self.number = number
        self.beforeFirstWrite = beforeFirstWrite
        self.stop = stop
        verifier = PackVerifier(known.codec)
        buffer.reserveCapacity(SnapshotLimits.chunkBytes * 2 + 4096)
    }

    deinit {
        ZSTD_freeCCtx(context)
        compressed.deallocate()
        if file != nil { files.remove(besideName) }
        for pack in closed { files.remove(pack.beside) }
    }

    func holds(_ id: ObjectID) throws -> Bool { try known.holds(id) }

    func put(_ bytes: UnsafeRawBufferPointer) throws -> ObjectID {
        try stop.check()
        let id = hasher.hash(bytes)
        guard try known.claim(id) else { return id }
        if length == 0 { begin() }
        let size = ZSTD_compressCCtx(
            context, compressed.baseAddress, compressed.count, bytes.baseAddress, bytes.count,
            SnapshotLimits.compressionLevel)
        let pays = ZSTD_isError(size) == 0 && size < bytes.count
        let stored = pays ? UnsafeRawBufferPointer(rebasing: compressed[..<size]) : bytes
        try append(id, raw: bytes.count, codec: pays ? .zstd : .raw, stored)
        try closeIfFull()
        return id
    }

    func clone(_ file: Descriptor, size: UInt64, device: UInt64) throws -> CloneDraft? {
        guard size >= SnapshotLimits.cloneBytesMin else { return nil }
        return try clones?.clone(file, device: device)
    }

    func keep(_ clone: CloneDraft, _ chunks: [ObjectID], size: UInt64) throws {
        let own = try chunks.indices.filter {
            try chunks[$0] != .zeros && known.claim(chunks[$0])
        }
        guard !own.isEmpty else { return }
        var place = ClonePlace(ofChunks: chunks, size: size, offset: 0)
        // Before the first pack that names it can be closed.
        clones?.keep(clone, as: place)
        for index in own {
            place.offset = UInt64(index) * UInt64(SnapshotLimits.chunkBytes)
            if length == 0 { begin() }
            let raw = min(UInt64(SnapshotLimits.chunkBytes), size - place.offset)
            let stored = place.stored
            places[chunks[index]] = stored
            try stored.withUnsafeBytes {
                try append(chunks[index], raw: Int(raw), codec: .clone, $0)
            }
            try closeIfFull()
        }
    }

    /// All that was put is durable on return, once `packs` is synced.
    func finish() throws {
        try close()
        while !closed.isEmpty { try putInPlace() }
    }

    /// Removes the packs that were made: no point needs them. False if one is left.
    func discard() -> Bool {
        made.removeAll { (try? files.delete("packs/" + $0)) != nil }
        return made.isEmpty
    }

    private func closeIfFull() throws {
        if length >= SnapshotLimits.packBytesMax || records.count >= SnapshotLimits.packRecordsMax {
            try close()
        }
    }

    private func begin() {
        buffer.append(contentsOf: PackFormat.magic)
        length = buffer.count
        records.removeAll(keepingCapacity: true)
        verified = 0
    }

    private func append(
        _ id: ObjectID, raw: Int, codec: PackRecord.Codec, _ stored: UnsafeRawBufferPointer
    ) throws {
        let before = buffer.count
        records.append(
            try known.codec.append(
                id, codec: codec, raw: raw, stored, to: &buffer, at: length - before))
        length += buffer.count - before
        if buffer.count >= SnapshotLimits.chunkBytes { try flush() }
    }

    /// Writes what is in the buffer and reads it back, piece by piece: a whole pack at its end
    /// would keep the other threads waiting. The file is made with its first bytes: what fits in
    /// the buffer needs none before the end.
    private func flush() throws {
        if file == nil {
            try beforeFirstWrite()
            file = try files.open(
                besideName, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        }
        guard let file else { return }
        try buffer.withUnsafeBytes { try file.write($0, whole(besideName)) }
        let end = length
        files.calls.startWriting(file.raw, from: end - buffer.count, count: buffer.count)
        buffer.removeAll(keepingCapacity: true)
        // What cannot be read back now could not be restored later.
        try verifier.verify(records[verified...], places, of: file, files.path(of: besideName))
        verified = records.count
        places = [:]
    }

    private func close() throws {
        guard length > 0 else { return }
        let table = PackFormat.table(records)
        buffer += table
        buffer += PackFormat.footer(table: table, count: records.count)
        length += table.count + PackFormat.footerBytes
        try flush()
        guard let file else { preconditionFailure("a flush makes the file") }
        try verifier.verify(table, records.count, of: file, files.path(of: besideName))
        let name = "\(ObjectID(hashing: table).digest.hex).pack"
        closed.append((file, name, besideName))
        self.file = nil
        packs += 1
        length = 0
        // Those before have been written out meanwhile, so that their sync is short.
        while closed.count > SnapshotLimits.packsUnsyncedMax { try putInPlace() }
    }

    private func putInPlace() throws {
        let (file, name, beside) = closed[0]
        try file.sync(whole(beside))
        try clones?.settle()
        // One with the same objects may stand there, and other points may need it.
        let isNew = try !files.isThere("packs/" + name)
        try files.rename(beside, "packs/" + name)
        if isNew { made.append(name) }
        closed.removeFirst()
    }
}

/// Reads a pack back and holds every object against its name. Of one thread.
final class PackVerifier {
    private let codec: ObjectCodec
    private let context = ZSTD_createDCtx()
    private let hasher = ObjectHasher()
    private let stored = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SnapshotLimits.chunkBytes * 2, alignment: 4096)
    private let raw = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SnapshotLimits.chunkBytes, alignment: 16)

    init(_ codec: ObjectCodec) { self.codec = codec }

    deinit {
        ZSTD_freeDCtx(context)
        stored.deallocate()
        raw.deallocate()
    }

    /// Throws `PointError` if `file` does not hold `records`. `places` are the stored bytes of
    /// those in clones, whose bytes were read in the clone itself.
    func verify(
        _ records: ArraySlice<PackRecord>, _ places: [ObjectID: [UInt8]], of file: Descriptor,
        _ path: String
    ) throws {
        // Which part of the file is in `stored`.
        var window = 0..<0
        for record in records {
            let start = Int(clamping: record.offset)
            let end = start + Int(record.stored)
            if start < window.lowerBound || end > window.upperBound {
                let count = try file.read(stored, at: start, Array(path.utf8))
                window = start..<start + count
            }
            guard end <= window.upperBound else {
                throw PointError.damaged(path, "it ends too early")
            }
            let low = start - window.lowerBound
            let part = UnsafeRawBufferPointer(
                rebasing: stored[low..<low + Int(record.stored)])
            if record.codec == .clone {
                guard places[record.id] == Array(part) else {
                    throw PointError.damaged(path, "its place in a clone is not what was written")
                }
            } else {
                try verify(record, part)
            }
        }
    }

    /// Throws `PointError` if `file` does not end with `table` of `count` records and its footer.
    func verify(_ table: [UInt8], _ count: Int, of file: Descriptor, _ path: String) throws {
        let ending = table + PackFormat.footer(table: table, count: count)
        let start = Int(try file.status().st_size) - ending.count
        let back = try PackFormat.part(file, start, ending.count, Array(path.utf8))
        guard back == ending else {
            throw PointError.damaged(path, "its table is not what was written")
        }
    }

    private func verify(_ record: PackRecord, _ part: UnsafeRawBufferPointer) throws {
        if record.codec.isSealed {
            _ = try codec.open(record, Array(part))
            return
        }
        var bytes = part
        if record.codec.isCompressed {
            let done = ZSTD_decompressDCtx(
                context, raw.baseAddress, raw.count, part.baseAddress, part.count)
            guard ZSTD_isError(done) == 0, done == Int(record.raw) else {
                throw PointError.damaged(
                    "object \(record.id.digest)", "its compressed bytes are damaged")
            }
            bytes = UnsafeRawBufferPointer(rebasing: raw[..<done])
        }
        guard hasher.hash(bytes) == record.id else {
            throw PointError.damaged("object \(record.id.digest)", "its bytes do not match it")
        }
    }
}
