import CLinux
import Glibc

/// Writes one entry after the other under new names, each held against what it should be.
/// One for each thread.
// Proof: it is made by one thread, handed to one other before that starts, and used by that alone
// until that was joined.
final class FileWriter: @unchecked Sendable {
    private let objects: ObjectReader
    private let beforeChange: RestoreHook?
    private let metadata: MetadataWriter
    private let hasher = ObjectHasher()
    /// Who new files belong to.
    private let owner = (user: geteuid(), group: getegid())
    /// Told the bytes of each chunk once it stands there; ends the writing if it throws.
    var onWrite: (Int) throws -> Void = { _ in }
    private var room = [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes)
    /// The files that were written and what they are known by, in no order.
    private(set) var written: [WrittenFile] = []

    init(_ objects: ObjectReader, _ beforeChange: RestoreHook?) {
        self.objects = objects
        self.beforeChange = beforeChange
        metadata = MetadataWriter(beforeChange)
    }

    /// Makes `entry` as `name` in `parent`. What stands there from an interrupted run is removed.
    func make(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        switch entry.kind {
        case .regular, .database: try write(entry, parent, name)
        case .symbolicLink:
            try make(entry, parent, name) { parent, path in
                withPath(entry.target) { parent.calls.symlinkat($0, parent.raw, path) }
            }
        case .fifo: try node(entry, parent, name, S_IFIFO)
        case .characterDevice: try node(entry, parent, name, S_IFCHR)
        case .blockDevice: try node(entry, parent, name, S_IFBLK)
        case .absent, .directory, .socket, .hardLink, .service, .stream, .package, .subvolume:
            preconditionFailure("it is not written by itself")
        }
    }

    private func node(
        _ entry: Entry, _ parent: Descriptor, _ name: [UInt8], _ type: mode_t
    ) throws {
        try make(entry, parent, name) { parent, path in
            parent.calls.mknodat(parent.raw, path, type | 0o600, dev_t(entry.device))
        }
    }

    private func make(
        _ entry: Entry, _ parent: Descriptor, _ name: [UInt8],
        _ body: (Descriptor, UnsafePointer<CChar>) -> Int32
    ) throws {
        try beforeChange?("make \(printable(entry.path))")
        try Self.clearing(parent, name, entry.path, beforeChange) {
            withPath(name) { body(parent, $0) }
        }
        try metadata.apply(entry, parent, name)
    }

    /// Makes a name; if one stands there that an interrupted run left, it is removed first.
    static func clearing(
        _ parent: Descriptor, _ name: [UInt8], _ path: [UInt8], _ beforeChange: RestoreHook?,
        _ body: () -> Int32
    ) throws {
        if body() == 0 { return }
        if errno == EEXIST {
            try TreeRemover(beforeChange).remove(parent, name, path)
            if body() == 0 { return }
        }
        throw PointError.system("make", path, errno)
    }

    private func write(_ entry: Entry, _ parent: Descriptor, _ name: [UInt8]) throws {
        try beforeChange?("create \(printable(entry.path))")
        var opened: Descriptor?
        try Self.clearing(parent, name, entry.path, beforeChange) {
            opened = parent.open(name, O_RDWR | O_CREAT | O_EXCL, mode: firstMode(of: entry))
            return opened == nil ? -1 : 0
        }
        guard let file = opened else { preconditionFailure("it was made") }
        if try !writeByCloning(entry, file) { try writeContent(entry, file) }
        var isBare = false
        if entry.kind == .database {
            try metadata.applyOwnership(entry, to: file)
        } else {
            isBare = try metadata.apply(entry, to: file)
        }
        written.append(WrittenFile(try file.look(entry.path), isBare: isBare))
    }

    /// The mode that a file is made with: its own if that, its owner and its attributes, a list of
    /// access among them, need not be set afterwards and nobody may read it meanwhile who may not
    /// read it then.
    private func firstMode(of entry: Entry) -> mode_t {
        let isOwn = entry.owner == owner.user && entry.group == owner.group
        let (group, others) = (entry.mode >> 3 & 7, entry.mode & 7)
        let isFinal = isOwn && group == others && entry.attributes.isEmpty
        return isFinal ? mode_t(entry.mode & 0o777) : 0o600
    }

    /// False, with nothing written, if there is no clone of the content or it cannot be shared.
    private func writeByCloning(_ entry: Entry, _ file: Descriptor) throws -> Bool {
        let size = Int(clamping: entry.size)
        let counts = stride(from: 0, to: size, by: SnapshotLimits.chunkBytes)
        guard entry.size >= SnapshotLimits.cloneBytesMin,
            entry.chunks.count == counts.underestimatedCount,
            let clone = objects.cloneFile(of: entry.chunks)
        else { return false }
        try beforeChange?("clone \(printable(entry.path))")
        guard try CloneKeeper.clone(file, from: clone, entry.path) == 0 else { return false }
        guard file.calls.ftruncate(file.raw, size) == 0 else {
            throw PointError.system("set the size of", entry.path, errno)
        }
        for (chunk, offset) in zip(entry.chunks, counts) {
            let count = min(SnapshotLimits.chunkBytes, size - offset)
            let isThere = try reads(file, offset, count, entry) {
                chunk == .zeros ? isZero($0) : hasher.hash($0) == chunk
            }
            if isThere {
                try onWrite(count)
                continue
            }
            // It lies in another clone or in a pack; if this one is damaged, that is found now.
            guard file.calls.lseek(file.raw, offset, SEEK_SET) >= 0 else {
                throw PointError.system("write", entry.path, errno)
            }
            try write(chunk, count, at: offset, entry, file, leavesHoles: false)
        }
        return true
    }

    private func writeContent(_ entry: Entry, _ file: Descriptor) throws {
        let isSparse = entry.flags & Entry.sparse != 0
        let size = Int(clamping: entry.size)
        var offset = 0
        for chunk in entry.chunks {
            let count = min(SnapshotLimits.chunkBytes, size - offset)
            guard count > 0 else {
                throw PointError.damaged(printable(entry.path), "it has more chunks than its size")
            }
            if chunk != .zeros || !isSparse {
                try write(chunk, count, at: offset, entry, file, leavesHoles: isSparse)
            }
            offset += count
        }
        guard offset == size else {
            throw PointError.damaged(printable(entry.path), "it has fewer chunks than its size")
        }
        guard isSparse else { return }
        guard file.calls.ftruncate(file.raw, size) == 0 else {
            throw PointError.system("set the size of", entry.path, errno)
        }
        for (index, chunk) in entry.chunks.enumerated() where chunk == .zeros {
            let start = index * SnapshotLimits.chunkBytes
            try check(file, start, min(SnapshotLimits.chunkBytes, size - start), entry, isZero)
        }
    }

    private func write(
        _ chunk: ObjectID, _ count: Int, at offset: Int, _ entry: Entry, _ file: Descriptor,
        leavesHoles: Bool
    ) throws {
        let bytes =
            chunk == .zeros ? [UInt8](repeating: 0, count: count) : try objects.read(chunk)
        guard bytes.count == count else {
            throw PointError.damaged("object \(chunk.digest)", "it is no chunk of this file")
        }
        try beforeChange?("write \(printable(entry.path))")
        try bytes.withUnsafeBytes { whole in
            if leavesHoles {
                try writeLeavingHoles(whole, at: offset, file, entry.path)
                guard file.calls.ftruncate(file.raw, offset + count) == 0 else {
                    throw PointError.system("set the size of", entry.path, errno)
                }
            } else {
                try file.write(whole, entry.path)
            }
            // The bytes in hand were hashed against their name: equal to them is as good.
            try check(file, offset, count, entry) {
                guard let one = $0.baseAddress, let two = whole.baseAddress else { return true }
                return memcmp(one, two, $0.count) == 0
            }
        }
        try onWrite(count)
    }

    private func writeLeavingHoles(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, _ file: Descriptor, _ path: [UInt8]
    ) throws {
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 4096)
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if !isZero(part) {
                guard file.calls.lseek(file.raw, offset + start, SEEK_SET) >= 0 else {
                    throw PointError.system("write", path, errno)
                }
                try file.write(part, path)
            }
            start = end
        }
    }

    /// Reads `count` bytes of what stands beside and holds them against what they should be.
    private func check(
        _ file: Descriptor, _ offset: Int, _ count: Int, _ entry: Entry,
        _ isRight: (UnsafeRawBufferPointer) -> Bool
    ) throws {
        guard try reads(file, offset, count, entry, isRight) else {
            throw PointError(
                "verify", printable(entry.path), "what was written is not read back",
                "look at the disk it lies on and restore again")
        }
    }

    private func reads(
        _ file: Descriptor, _ offset: Int, _ count: Int, _ entry: Entry,
        _ isRight: (UnsafeRawBufferPointer) -> Bool
    ) throws -> Bool {
        try room.withUnsafeMutableBytes { whole in
            let part = UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
            return try file.read(part, at: offset, entry.path) == count
                && isRight(UnsafeRawBufferPointer(part))
        }
    }
}

/// What a written file is known by as long as nobody touches it.
struct WrittenFile: Comparable {
    var device: UInt64
    var inode: UInt64
    var changed: Int64
    /// It was seen to have no extended attribute. Not part of what it is known by.
    var isBare: Bool

    init(_ status: FileStatus, isBare: Bool = false) {
        device = status.device
        inode = status.inode
        changed = status.changed
        self.isBare = isBare
    }

    static func == (left: Self, right: Self) -> Bool {
        (left.device, left.inode, left.changed) == (right.device, right.inode, right.changed)
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.device, left.inode, left.changed) < (right.device, right.inode, right.changed)
    }
}

/// Called before each change that a restore makes; a test lets it fail, and then all work stays on
/// one thread.
typealias RestoreHook = @Sendable (String) throws -> Void
