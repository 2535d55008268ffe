import Glibc

/// Reads files in chunks into a sink, and only those that changed.
final class ContentReader {
    private let sink: any ObjectSink
    private let index: UnchangedIndex?
    /// SEEK_DATA of Linux' fs.h, which Swift's Glibc module leaves out.
    private static let seekData: Int32 = 3
    private var buffer = [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes)

    init(sink: any ObjectSink, index: UnchangedIndex?) {
        self.sink = sink
        self.index = index
    }

    /// The chunks of a regular file and its status while they were read.
    func read(
        _ parent: Descriptor, _ name: [UInt8], _ found: stat, path: [UInt8]
    ) throws -> (chunks: [ObjectID], status: stat) {
        if found.st_size == 0 { return ([], found) }
        if let known = index?.chunks(of: found), known.allSatisfy({ sink.holds($0) }) {
            return (known, found)
        }
        for _ in 0..<SnapshotLimits.readAttempts {
            let now = wallClockNanoseconds()
            guard let file = parent.open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY) else {
                throw PointError.system("open", path, errno)
            }
            let before = try file.status()
            guard before.st_mode & S_IFMT == S_IFREG else { break }
            let chunks = try self.chunks(of: file, size: Int(before.st_size), path: path)
            let after = try file.status()
            if UnchangedIndex.Key(before) == UnchangedIndex.Key(after), let chunks {
                index?.note(after, chunks, now: now)
                return (chunks, after)
            }
        }
        throw PointError(
            "read", printable(path), "it changed while it was read, each time",
            "stop what writes to it, or capture it with the driver that fits it")
    }

    /// Nil if the file ended before `size`.
    private func chunks(of file: Descriptor, size: Int, path: [UInt8]) throws -> [ObjectID]? {
        var chunks: [ObjectID] = []
        var offset = 0
        while offset < size {
            let count = min(buffer.count, size - offset)
            let data = file.calls.lseek(file.raw, offset, Self.seekData)
            if (data < 0 && errno == ENXIO) || data >= offset + count {
                chunks.append(.zeros)
                offset += count
                continue
            }
            let chunk: ObjectID? = try buffer.withUnsafeMutableBytes { whole in
                let part = UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
                guard try file.read(part, at: offset, path) == count else { return nil }
                let filled = UnsafeRawBufferPointer(part)
                return isZero(filled) ? .zeros : try sink.put(filled)
            }
            guard let chunk else { return nil }
            chunks.append(chunk)
            offset += count
        }
        return chunks
    }
}

/// True if all bytes are 0.
func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, bytes[0] == 0 else { return bytes.isEmpty }
    return memcmp(start, start + 1, bytes.count - 1) == 0
}
