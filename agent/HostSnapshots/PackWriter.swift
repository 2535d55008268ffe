import CZstd
import FleetWire
import Glibc

/// Stores objects in packs: beside, read back, synced, renamed. Under the store's lock only.
final class PackWriter: ObjectSink {
    private let files: StoreFiles
    private let reader: ObjectReader
    private let context: OpaquePointer?
    private var known: Set<ObjectID> = []
    private var records: [PackRecord] = []
    private var file: Descriptor?
    private var buffer: [UInt8] = []
    private var length = 0
    private var beside: String { files.path(of: "packs/.pack.\(getpid())") }

    init(_ files: StoreFiles, reader: ObjectReader) {
        self.files = files
        self.reader = reader
        context = ZSTD_createCCtx()
    }

    deinit {
        ZSTD_freeCCtx(context)
        if file != nil { files.remove("packs/.pack.\(getpid())") }
    }

    func holds(_ id: ObjectID) -> Bool { reader.holds(id) || known.contains(id) }

    func put(_ bytes: UnsafeRawBufferPointer) throws -> ObjectID {
        let id = ObjectID(hashing: bytes)
        if holds(id) { return id }
        try begin()
        let bound = ZSTD_compressBound(bytes.count)
        try withUnsafeTemporaryAllocation(byteCount: bound, alignment: 16) { room in
            let size = ZSTD_compressCCtx(
                context, room.baseAddress, bound, bytes.baseAddress, bytes.count,
                SnapshotLimits.compressionLevel)
            let pays = ZSTD_isError(size) == 0 && size < bytes.count
            let stored = pays ? UnsafeRawBufferPointer(rebasing: room[..<size]) : bytes
            try append(id, raw: bytes.count, codec: pays ? .zstd : .raw, stored)
        }
        if length >= SnapshotLimits.packBytesMax { try close() }
        return id
    }

    /// All that was put is durable on return.
    func finish() throws {
        try close()
        try files.sync("packs")
    }

    private func append(
        _ id: ObjectID, raw: Int, codec: PackRecord.Codec, _ stored: UnsafeRawBufferPointer
    ) throws {
        let before = buffer.count
        records.append(
            try reader.codec.append(
                id, codec: codec, raw: raw, stored, to: &buffer, at: length - before))
        length += buffer.count - before
        known.insert(id)
        if buffer.count >= SnapshotLimits.chunkBytes { try flush() }
    }

    private func begin() throws {
        guard file == nil else { return }
        file = try files.open(
            "packs/.pack.\(getpid())", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        buffer = PackFormat.magic
        length = buffer.count
        records = []
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { try file?.write($0, Array(beside.utf8)) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func close() throws {
        guard let file else { return }
        let table = PackFormat.table(records)
        buffer += table
        buffer += PackFormat.footer(table: table, count: records.count)
        try flush()
        // What cannot be read back now could not be restored later.
        for record in try PackFormat.records(of: file, path: beside) {
            _ = try ObjectReader.read(record, of: file, files, reader.codec, ".pack.\(getpid())")
        }
        try file.sync(Array(beside.utf8))
        let target = files.path(of: "packs/\(ObjectID(hashing: table).digest.hex).pack")
        guard files.calls.renameat(AT_FDCWD, beside, AT_FDCWD, target) == 0 else {
            throw PointError.system("rename", Array(target.utf8), errno)
        }
        self.file = nil
    }
}
