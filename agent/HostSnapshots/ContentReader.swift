import CLinux
import Glibc

/// Reads regular files in chunks into a sink. Of one thread.
// Proof: it is made by one thread, handed to one other before that starts, and used by that alone.
final class ContentReader: @unchecked Sendable {
    private let sink: any ObjectSink
    /// True: what cannot be read steadily counts as different instead of failing.
    private let isTolerant: Bool
    /// Asked before each chunk.
    private let stop: StopHook
    /// SEEK_DATA of Linux' fs.h, which Swift's Glibc module leaves out.
    private static let seekData: Int32 = 3
    /// O_NOATIME of Linux' fcntl.h: a capture changes nothing, times of access neither.
    private static let noAccessTime: Int32 = 0o1000000
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SnapshotLimits.chunkBytes, alignment: 4096)
    private let hasher = ObjectHasher()
    private var chunks: [ObjectID] = []
    /// Told the bytes of each chunk once it is done, and less than 0 if they are read again.
    var onRead: (Int) -> Void = { _ in }
    /// Bytes of the last file that `onRead` was told.
    private(set) var told = 0
    private var quietly = geteuid() == 0 ? ContentReader.noAccessTime : 0

    init(sink: any ObjectSink, isTolerant: Bool = false, stop: StopHook = StopHook()) {
        self.sink = sink
        self.isTolerant = isTolerant
        self.stop = stop
    }

    deinit { buffer.deallocate() }

    /// Appends the encoded entry of `file`; gives its status while it was read, and whether that
    /// can be believed later. Nil, with nothing appended, if the file is gone.
    func encode(
        _ file: EntryBatch.Pending, of batch: EntryBatch, into bytes: inout [UInt8]
    ) throws -> (status: FileStatus, isSettled: Bool)? {
        let folder = batch.folders[file.folder]
        return try batch.paths.withUnsafeBytes { all in
            guard let base = all.baseAddress else { preconditionFailure("a path has bytes") }
            let path = UnsafeRawBufferPointer(rebasing: all[file.path..<file.path + file.count])
            let name = (base + file.name).assumingMemoryBound(to: CChar.self)
            let now = wallClockNanoseconds()
            chunks.removeAll(keepingCapacity: true)
            told = 0
            var entry = Entry(kind: .regular, path: [])
            var status = file.status
            do {
                guard let read = try read(folder, name, file.status, Array(path)) else {
                    return nil
                }
                (status, entry.attributes) = read
            } catch  where isTolerant {
                takeBack()
                // No file hashes to this, so that it counts as different.
                chunks = [ObjectID(hashing: Array("unsteady".utf8))]
            }
            entry.take(status)
            chunks.withUnsafeBufferPointer { entry.encode(path: path, chunks: $0, into: &bytes) }
            return (status, status.isSettled(at: now))
        }
    }

    /// Leaves the content in `chunks`; gives the status and attributes while it was read. Nil if
    /// the file is gone.
    private func read(
        _ folder: Descriptor, _ name: UnsafePointer<CChar>, _ found: FileStatus,
        _ path: @autoclosure () -> [UInt8]
    ) throws -> (FileStatus, [Entry.Attribute])? {
        // Without a content only the attributes count, and they need no permission to read.
        if found.size == 0 {
            return try (found, Attributes.read(folder, name, path()))
        }
        var expected = found
        for _ in 0..<SnapshotLimits.readAttempts {
            guard let file = try open(folder, name, found, path) else { return nil }
            chunks.removeAll(keepingCapacity: true)
            takeBack()
            // A clone cannot change while it is read: what is hashed is what is kept.
            let clone = try sink.clone(file, size: expected.size, device: expected.device)
            let isWhole =
                try clone.map { try readChunks(of: $0.file, expected, path, hasher.hash) }
                ?? readChunks(of: file, expected, path, sink.put)
            let attributes = try Attributes.read(file)
            let after = try file.look(path())
            if isWhole, after.isSame(as: expected), after.isRegular {
                if let clone { try sink.keep(clone, chunks, size: expected.size) }
                return (after, attributes)
            }
            guard after.isRegular else { break }
            expected = after
        }
        throw PointError(
            "read", printable(path()), "it changed while it was read, each time",
            "stop what writes to it, or capture it with the driver that fits it")
    }

    private func open(
        _ folder: Descriptor, _ name: UnsafePointer<CChar>, _ found: FileStatus,
        _ path: () -> [UInt8]
    ) throws -> Descriptor? {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC
        var opened = folder.calls.openat(folder.raw, name, flags | quietly)
        if opened < 0, errno == EPERM, quietly != 0 {
            quietly = 0
            opened = folder.calls.openat(folder.raw, name, flags)
        }
        if opened >= 0 { return Descriptor(opened, folder.calls) }
        // Its further names would point at a name that is not captured.
        if errno == ENOENT, found.links < 2 { return nil }
        throw PointError.system("open", path(), errno)
    }

    /// False if the file ended before its size.
    private func readChunks(
        of file: Descriptor, _ status: FileStatus, _ path: () -> [UInt8],
        _ put: (UnsafeRawBufferPointer) throws -> ObjectID
    ) throws -> Bool {
        let size = Int(clamping: status.size)
        var offset = 0
        while offset < size {
            try stop.check()
            let count = min(buffer.count, size - offset)
            if status.mayHaveHoles {
                let data = file.calls.lseek(file.raw, offset, Self.seekData)
                if (data < 0 && errno == ENXIO) || data >= offset + count {
                    chunks.append(.zeros)
                    offset += count
                    tell(count)
                    continue
                }
            }
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            guard try file.read(part, at: offset, path()) == count else { return false }
            let filled = UnsafeRawBufferPointer(part)
            chunks.append(isZero(filled) ? .zeros : try put(filled))
            offset += count
            tell(count)
        }
        return true
    }

    private func tell(_ count: Int) {
        told += count
        onRead(count)
    }

    private func takeBack() {
        if told > 0 { onRead(-told) }
        told = 0
    }
}

/// True if all bytes are 0.
func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, bytes[0] == 0 else { return bytes.isEmpty }
    return memcmp(start, start + 1, bytes.count - 1) == 0
}
