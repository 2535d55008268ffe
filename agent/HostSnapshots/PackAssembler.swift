import FleetWire
import Glibc

/// Writes records that are stored already, as they are, into new packs: for prune and repair. Under
/// `create.lock` only.
final class PackAssembler {
    private let files: StoreFiles
    private let codecs: RecordCodecs
    private var records: [PackRecord] = []
    private var file: Descriptor?
    private var length = 0
    private var scratch: String { ".pack.\(getpid())" }
    private var beside: [UInt8] { Array(files.path(of: "packs/" + scratch).utf8) }
    /// The packs that were made.
    private(set) var made: [String] = []
    /// Bytes of all of them.
    private(set) var bytes: UInt64 = 0

    init(_ files: StoreFiles, _ codecs: RecordCodecs) {
        self.files = files
        self.codecs = codecs
    }

    deinit { if file != nil { files.remove("packs/" + scratch) } }

    /// Adds a record with its stored bytes, which the caller has opened. A key's identifier in them
    /// that is damaged is made good.
    func add(_ record: PackRecord, _ stored: [UInt8]) throws {
        var stored = stored
        if record.codec.isSealed, let key = codecs.keyed.key {
            stored.replaceSubrange(..<StoreKey.identifierBytes, with: key.identifier)
        }
        if file == nil {
            file = try files.open(
                "packs/" + scratch, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
            records = []
            length = 0
            try write(PackFormat.magic)
        }
        var copy = record
        let header = PackFormat.header(record)
        copy.offset = UInt64(length + header.count)
        try write(header + stored)
        records.append(copy)
        if length >= SnapshotLimits.packBytesMax { try close() }
    }

    /// All that was added is durable on return.
    func finish() throws {
        try close()
        if !made.isEmpty { try files.sync("packs") }
    }

    private func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try file?.write($0, beside) }
        length += bytes.count
    }

    private func close() throws {
        guard let file else { return }
        let table = PackFormat.table(records)
        try write(table + PackFormat.footer(table: table, count: records.count))
        for record in try PackFormat.records(of: file, path: printable(beside)) {
            _ = try codecs.read(record, of: file, files, scratch)
        }
        try file.sync(beside)
        let name = "\(ObjectID(hashing: table).digest.hex).pack"
        let target = Array(files.path(of: "packs/" + name).utf8)
        guard
            withPath(
                beside,
                { from in
                    withPath(target) { files.calls.renameat(AT_FDCWD, from, AT_FDCWD, $0) }
                }) == 0
        else { throw PointError.system("rename", target, errno) }
        made.append(name)
        bytes += UInt64(length)
        self.file = nil
    }
}

/// Opens records of any point of a store: plain ones, and those sealed with its key.
struct RecordCodecs {
    /// That of the key at hand, if there is one.
    let keyed: ObjectCodec
    private let decoder = ObjectDecoder()

    init(keyed: ObjectCodec) { self.keyed = keyed }

    /// The raw bytes, checked against the record's name.
    func read(
        _ record: PackRecord, of file: Descriptor, _ files: StoreFiles, _ pack: String
    ) throws -> [UInt8] {
        try ObjectReader.read(
            record, of: file, files, record.codec.isSealed ? keyed : .plain,
            Array(files.path(of: "packs/" + pack).utf8), decoder)
    }
}
