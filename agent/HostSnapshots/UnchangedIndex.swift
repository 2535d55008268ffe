import CLinux
import FleetWire
import Glibc

/// The layout of a file of the index; the format's section "The index".
enum IndexFormat {
    /// Of blocks as they are, and of sealed ones.
    static func magic(_ codec: ObjectCodec) -> [UInt8] {
        Array((codec.key == nil ? "BELAYUN3" : "BELAYUS3").utf8)
    }
    static let magicBytes = 8
    /// What blocks are sealed as.
    static let purpose = "unchanged index"
    static let ending = Array("BELAYUNX".utf8)
    static let footerBytes = 16
    /// Length and digest before the bytes of a block.
    static let blockHeaderBytes = 36
    /// Length, device, inode and time of change before a record's entry.
    static let recordBytes = 28
    static let blockBytes = 1 << 20
}

/// What the entries of components were at their last capture, so that what did not change since is
/// neither opened nor read. It can always be rebuilt: what is damaged of it counts as changed.
struct UnchangedIndex {
    private static let folder = "unchanged"
    /// Components whose last captures are remembered; the oldest are forgotten first.
    private static let filesMax = 64
    private let files: StoreFiles
    private let codec: ObjectCodec
    private let packs: Set<String>
    /// False: nothing is known, but what is read is noted.
    let isAsked: Bool

    /// `codec` is that of new points: with a key its blocks are sealed.
    init(_ files: StoreFiles, _ codec: ObjectCodec, isAsked: Bool = true) {
        self.files = files
        self.codec = codec
        self.isAsked = isAsked
        packs = Set((try? files.names(in: "packs")) ?? [])
    }

    /// What is known of the entries below `paths`; nil if nothing is.
    func cursor(_ key: ObjectID) -> IndexCursor? {
        guard isAsked, let cursor = IndexCursor(files, Self.name(key), codec) else { return nil }
        cursor.isTrusted = cursor.packs.allSatisfy { packs.contains("\($0.digest.hex).pack") }
        return cursor
    }

    func writer(_ key: ObjectID) throws -> IndexWriter {
        try IndexWriter(files, codec, Self.name(key), beside: "tmp/\(key.digest.hex).\(getpid())")
    }

    private static func name(_ key: ObjectID) -> String {
        "\(folder)/\(key.digest.hex.prefix(32))"
    }

    /// Names what a walk depends on: with another list of paths or excludes it is another walk.
    static func key(_ paths: [[UInt8]], _ excludes: [String], crossesMounts: Bool) -> ObjectID {
        var bytes: [UInt8] = [crossesMounts ? 1 : 0]
        bytes.append(number: UInt32(paths.count))
        for path in paths { bytes.append(counted: path) }
        for exclude in excludes { bytes.append(counted: Array(exclude.utf8)) }
        return ObjectID(hashing: bytes)
    }

    /// Forgets the components that were captured longest ago, if there are too many.
    func forgetOldest() throws {
        let names = try files.names(in: Self.folder)
        guard names.count > Self.filesMax else { return }
        let aged = names.map { name -> (time: Int64, name: String) in
            let file = try? files.open(Self.folder + "/" + name, O_RDONLY | O_NOFOLLOW)
            let status = file.flatMap { try? $0.look([]) }
            return (status?.modified ?? .min, name)
        }
        for (_, name) in aged.sorted(by: { $0.time < $1.time }).prefix(names.count - Self.filesMax)
        {
            files.remove(Self.folder + "/" + name)
        }
    }
}

/// Writes one component's part of the index anew, beside, block by block.
final class IndexWriter {
    private let files: StoreFiles
    private let codec: ObjectCodec
    private let name: String
    private let beside: String
    private let file: Descriptor
    private let hasher = ObjectHasher()
    private var block: [UInt8] = []
    private var length = 0
    private var count: UInt64 = 0

    init(_ files: StoreFiles, _ codec: ObjectCodec, _ name: String, beside: String) throws {
        self.files = files
        self.codec = codec
        self.name = name
        self.beside = beside
        file = try files.open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try write(IndexFormat.magic(codec))
    }

    /// Adds an encoded entry and what its file must still have for it to hold.
    func add(device: UInt64, inode: UInt64, changed: Int64, _ entry: UnsafeRawBufferPointer) throws
    {
        let bytes = IndexFormat.recordBytes + entry.count
        if !block.isEmpty, block.count + bytes > IndexFormat.blockBytes { try flush() }
        block.append(number: UInt32(bytes - 4))
        block.append(number: device)
        block.append(number: inode)
        block.append(number: changed)
        block.append(contentsOf: entry)
        count += 1
    }

    /// Adds a whole record of an earlier index.
    func add(record: UnsafeRawBufferPointer) throws {
        if !block.isEmpty, block.count + record.count > IndexFormat.blockBytes { try flush() }
        block.append(contentsOf: record)
        count += 1
    }

    /// Puts it in place. It is not synced: a torn one is found by its digests.
    func finish(packs: [ObjectID]) throws {
        if !block.isEmpty { try flush() }
        let trailer = length
        block.append(number: count)
        for pack in packs { pack.withBytes { block.append(contentsOf: $0) } }
        try flush()
        var footer: [UInt8] = []
        footer.append(number: UInt64(trailer))
        try write(footer + IndexFormat.ending)
        try files.rename(beside, name)
    }

    /// Leaves the earlier index as it is.
    func discard() { files.remove(beside) }

    private func flush() throws {
        var head: [UInt8] = []
        let stored = try codec.protect(block, as: IndexFormat.purpose)
        head.append(number: UInt32(stored.count))
        head += stored.withUnsafeBytes { hasher.hash($0) }.bytes
        try write(head)
        try write(stored)
        block.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try file.write($0, Array(beside.utf8)) }
        length += bytes.count
    }
}
