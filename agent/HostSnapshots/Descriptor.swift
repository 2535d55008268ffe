import Glibc

/// An open file, closed when nobody holds it any more.
final class Descriptor {
    let raw: Int32
    /// How calls on this file, and on what is opened in it, are made.
    let calls: FileCalls

    init(_ raw: Int32, _ calls: FileCalls = .system) {
        self.raw = raw
        self.calls = calls
    }

    deinit { close(raw) }

    /// Opens `name` in this directory; a symbolic link is never followed.
    func open(_ name: [UInt8], _ flags: Int32, mode: mode_t = 0) -> Descriptor? {
        let opened = withPath(name) {
            calls.openat(raw, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        return opened < 0 ? nil : Descriptor(opened, calls)
    }

    /// What `name` in this directory is; nil if it is not there.
    func status(of name: [UInt8]) throws -> stat? {
        var found = stat()
        if withPath(name, { calls.fstatat(raw, $0, &found) }) == 0 { return found }
        if errno == ENOENT { return nil }
        throw PointError.system("look at", name, errno)
    }

    func status() throws -> stat {
        var found = stat()
        guard calls.fstat(raw, &found) == 0 else { throw PointError.system("look at", [], errno) }
        return found
    }

    /// The names in this directory, sorted by their bytes, without `.` and `..`.
    func names() throws -> [[UInt8]] {
        guard let copy = open([UInt8(ascii: ".")], O_RDONLY | O_DIRECTORY) else {
            throw PointError.system("list", [], errno)
        }
        let names = try DirectoryNames(copy, [])
        return (0..<names.count).map { position in
            names.withName(position) { Array(UnsafeRawBufferPointer(start: $0, count: $1)) }
        }
    }

    /// Writes all of `bytes` at the present position.
    func write(_ bytes: UnsafeRawBufferPointer, _ path: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = calls.write(raw, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw PointError.system("write", path, errno)
            }
            done += count
        }
    }

    /// Reads into `buffer` from `offset` until it is full or the file ends; gives the count.
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ path: [UInt8]) throws
        -> Int
    {
        var done = 0
        while done < buffer.count {
            let count = calls.pread(
                raw, buffer.baseAddress.map { $0 + done }, buffer.count - done, offset + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw PointError.system("read", path, errno)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Waits until the file's content is on disk.
    func sync(_ path: [UInt8]) throws {
        guard calls.fsync(raw) == 0 else { throw PointError.system("sync", path, errno) }
    }
}

/// Calls `body` with `bytes` as a C string.
func withPath<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws -> Result
) rethrows -> Result {
    // On the stack for names of any usual length: this runs several times for each file.
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { room in
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(room).copyMemory(from: $0) }
        room[bytes.count] = 0
        guard let start = room.baseAddress else { preconditionFailure("it holds one byte") }
        return try body(start)
    }
}
