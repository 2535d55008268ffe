import Glibc
import Synchronization

private let scratchCounter = Mutex(0)

/// A name below the store's `tmp` that no other holds. It ends in the id of this process: the next
/// capture removes it once the process is gone.
private func scratchName(_ kind: String) -> String {
    let number = scratchCounter.withLock {
        $0 += 1
        return $0
    }
    return "tmp/\(kind).\(number).\(getpid())"
}

/// A file below the store's `tmp` for one operation, removed when nobody holds it any more. Two of
/// one process have two names; those of processes that are gone are removed by the next capture.
final class ScratchFile {
    private let files: StoreFiles
    private let name: String
    let file: Descriptor
    var path: String { files.path(of: name) }

    /// `suffix` ends its name, for programs that look at it.
    init(_ kind: String, _ files: StoreFiles, suffix: String = "") throws {
        self.files = files
        name = scratchName(kind) + suffix
        file = try files.open(name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    }

    deinit { files.remove(name) }

    /// To read it, or to have it read, from its start.
    func rewind() throws {
        guard file.calls.lseek(file.raw, 0, SEEK_SET) == 0 else {
            throw PointError.system("read", Array(path.utf8), errno)
        }
    }

    func size() throws -> Int { Int(try file.status().st_size) }

    /// Empties it.
    func truncate() throws {
        guard file.calls.ftruncate(file.raw, 0) == 0 else {
            throw PointError.system("empty", Array(path.utf8), errno)
        }
        try rewind()
    }

    /// Puts its bytes into `sink` as chunks.
    func store(into sink: any ObjectSink) throws -> (chunks: [ObjectID], bytes: UInt64) {
        try Self.store(file, path, into: sink)
    }

    /// Puts the bytes of any open file into `sink` as chunks.
    static func store(
        _ file: Descriptor, _ path: String, into sink: any ObjectSink
    ) throws -> (chunks: [ObjectID], bytes: UInt64) {
        var chunks: [ObjectID] = []
        var offset = 0
        var buffer = [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes)
        while true {
            let count = try buffer.withUnsafeMutableBytes {
                try file.read($0, at: offset, Array(path.utf8))
            }
            if count == 0 { return (chunks, UInt64(offset)) }
            chunks.append(
                try buffer.withUnsafeBytes {
                    let part = UnsafeRawBufferPointer(rebasing: $0[..<count])
                    return isZero(part) ? .zeros : try sink.put(part)
                })
            offset += count
        }
    }

    /// Fills it with what an entry holds, each object checked, and goes back to its start.
    func fill(with entry: Entry, from objects: ObjectReader) throws {
        try truncate()
        var left = Int(clamping: entry.size)
        for chunk in entry.chunks {
            let count = min(left, SnapshotLimits.chunkBytes)
            let bytes =
                chunk == .zeros ? [UInt8](repeating: 0, count: count) : try objects.read(chunk)
            guard bytes.count == count else {
                throw PointError.damaged(
                    "object \(chunk.digest)", "it is no chunk of \(printable(entry.path))")
            }
            try bytes.withUnsafeBytes { try file.write($0, Array(path.utf8)) }
            left -= count
        }
        guard left == 0 else {
            throw PointError.damaged(printable(entry.path), "its chunks are shorter than it is")
        }
        try rewind()
    }
}

/// A directory below the store's `tmp` for one operation, removed when nobody holds it any more.
final class ScratchFolder {
    private let files: StoreFiles
    private let name: String
    var path: String { files.path(of: name) }

    init(_ kind: String, _ files: StoreFiles) throws {
        self.files = files
        name = scratchName(kind)
        try makeFolder("")
    }

    deinit { files.removeAll(name) }

    func makeFolder(_ child: String) throws {
        let path = child.isEmpty ? path : path + "/" + child
        guard files.calls.mkdirat(AT_FDCWD, path, 0o700) == 0 || errno == EEXIST else {
            throw PointError.system("create", Array(path.utf8), errno)
        }
    }

    func write(_ child: String, _ text: String) throws {
        let file = try files.open(
            name + "/" + child, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try Array(text.utf8).withUnsafeBytes { try file.write($0, Array(path.utf8)) }
    }

    func names() throws -> [String] { try files.names(in: name) }
}
