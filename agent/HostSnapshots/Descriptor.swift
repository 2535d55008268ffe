import Glibc

/// An open file, closed when nobody holds it any more.
final class Descriptor {
    let raw: Int32
    init(_ raw: Int32) { self.raw = raw }
    deinit { close(raw) }

    /// Opens `name` in this directory; a symbolic link is never followed.
    func open(_ name: [UInt8], _ flags: Int32, mode: mode_t = 0) -> Descriptor? {
        let opened = withPath(name) {
            openat(raw, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        return opened < 0 ? nil : Descriptor(opened)
    }

    /// What `name` in this directory is; nil if it is not there.
    func status(of name: [UInt8]) throws -> stat? {
        var found = stat()
        if withPath(name, { fstatat(raw, $0, &found, AT_SYMLINK_NOFOLLOW) }) == 0 { return found }
        if errno == ENOENT { return nil }
        throw PointError.system("look at", name, errno)
    }

    func status() throws -> stat {
        var found = stat()
        guard fstat(raw, &found) == 0 else { throw PointError.system("look at", [], errno) }
        return found
    }

    /// The names in this directory, sorted by their bytes, without `.` and `..`.
    func names() throws -> [[UInt8]] {
        let copy = openat(raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw PointError.system("list", [], code)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(stream) {
            let start = UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 19)
            let length = strlen(start.assumingMemoryBound(to: CChar.self))
            let name = [UInt8](UnsafeRawBufferPointer(start: start, count: length))
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw PointError.system("list", [], errno) }
        names.sort { $0.lexicographicallyPrecedes($1) }
        return names
    }

    /// Writes all of `bytes` at the present position.
    func write(_ bytes: UnsafeRawBufferPointer, _ path: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(raw, bytes.baseAddress.map { $0 + done }, bytes.count - done)
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
            let count = pread(
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
        guard fsync(raw) == 0 else { throw PointError.system("sync", path, errno) }
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

/// All of the file at `path`, which belongs to the store; nil if it is not there.
func contents(of path: String, atMost limit: Int) throws -> [UInt8]? {
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    if opened < 0 {
        if errno == ENOENT { return nil }
        throw PointError.system("open", Array(path.utf8), errno)
    }
    let file = Descriptor(opened)
    let size = Int(try file.status().st_size)
    guard size <= limit else { throw PointError.damaged(path, "it is larger than \(limit) bytes") }
    var bytes = [UInt8](repeating: 0, count: size)
    let count = try bytes.withUnsafeMutableBytes { try file.read($0, at: 0, Array(path.utf8)) }
    return Array(bytes.prefix(count))
}

/// Puts `bytes` at `directory/name`: beside, sync, rename, sync of the directory.
func replaceFile(_ directory: String, _ name: String, _ bytes: [UInt8]) throws {
    let beside = "\(directory)/.\(name).\(getpid())"
    let target = "\(directory)/\(name)"
    let opened = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard opened >= 0 else { throw PointError.system("create", Array(beside.utf8), errno) }
    let file = Descriptor(opened)
    do {
        try bytes.withUnsafeBytes { try file.write($0, Array(beside.utf8)) }
        try file.sync(Array(beside.utf8))
        guard rename(beside, target) == 0 else {
            throw PointError.system("rename", Array(target.utf8), errno)
        }
        try syncDirectory(directory)
    } catch {
        unlink(beside)
        throw error
    }
}

/// Makes renames within `path` durable.
func syncDirectory(_ path: String) throws {
    let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw PointError.system("open", Array(path.utf8), errno) }
    try Descriptor(opened).sync(Array(path.utf8))
}
