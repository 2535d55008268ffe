import FleetWire
import Glibc

/// The files of a store's directory: opened, replaced, listed and removed by paths below it.
struct StoreFiles: Sendable {
    /// The store's directory.
    let path: String
    let calls: FileCalls

    init(_ path: String, _ calls: FileCalls = .system) {
        self.path = path
        self.calls = calls
    }

    func path(of name: String) -> String { name.isEmpty ? path : path + "/" + name }

    /// 8 digits that tell the names that the store at `path` gives to things outside of it from
    /// those of other stores.
    static func digits(of path: String) -> Substring {
        ObjectID(hashing: Array(path.utf8)).digest.hex.prefix(8)
    }

    /// Opens `name`; throws if it cannot be. Links within the store are not followed, and a FIFO in
    /// it keeps nobody waiting.
    func open(_ name: String, _ flags: Int32, mode: mode_t = 0) throws -> Descriptor {
        let path = path(of: name)
        let opened = calls.openat(AT_FDCWD, path, flags | Self.careful(name) | O_CLOEXEC, mode)
        guard opened >= 0 else { throw PointError.system("open", Array(path.utf8), errno) }
        return Descriptor(opened, calls)
    }

    /// The store's directory itself may be a link that the operator made.
    private static func careful(_ name: String) -> Int32 {
        name.isEmpty ? 0 : O_NOFOLLOW | O_NONBLOCK
    }

    /// The names in `folder`, sorted by their bytes.
    func names(in folder: String) throws -> [String] {
        try open(folder, O_RDONLY | O_DIRECTORY).names().map { String(decoding: $0, as: UTF8.self) }
    }

    func isThere(_ name: String) throws -> Bool {
        var found = stat()
        let path = path(of: name)
        if calls.fstatat(AT_FDCWD, path, &found) == 0 { return true }
        guard errno == ENOENT else {
            throw PointError.system("look at", Array(path.utf8), errno)
        }
        return false
    }

    /// All of `name`; nil if it is not there.
    func contents(of name: String, atMost limit: Int) throws -> [UInt8]? {
        let path = path(of: name)
        let opened = calls.openat(
            AT_FDCWD, path, O_RDONLY | Self.careful(name) | O_CLOEXEC)
        if opened < 0 {
            if errno == ENOENT { return nil }
            throw PointError.system("open", Array(path.utf8), errno)
        }
        let file = Descriptor(opened, calls)
        let size = Int(try file.status().st_size)
        guard size <= limit else {
            throw PointError.damaged(path, "it is larger than \(limit) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try bytes.withUnsafeMutableBytes { try file.read($0, at: 0, Array(path.utf8)) }
        return Array(bytes.prefix(count))
    }

    /// Puts `bytes` at `folder/name`: beside, sync, rename, sync of the folder. Durable on return.
    func replace(_ folder: String, _ name: String, _ bytes: [UInt8]) throws {
        let beside = path(of: folder) + "/.\(name).\(getpid())"
        let target = path(of: folder) + "/" + name
        let opened = calls.openat(
            AT_FDCWD, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw PointError.system("create", Array(beside.utf8), errno) }
        let file = Descriptor(opened, calls)
        do {
            try bytes.withUnsafeBytes { try file.write($0, Array(beside.utf8)) }
            try file.sync(Array(beside.utf8))
            guard calls.renameat(AT_FDCWD, beside, AT_FDCWD, target) == 0 else {
                throw PointError.system("rename", Array(target.utf8), errno)
            }
            try sync(folder)
        } catch {
            _ = calls.unlinkat(AT_FDCWD, beside, 0)
            throw error
        }
    }

    /// Renames within the store; durable once the folder is synced.
    func rename(_ from: String, _ to: String) throws {
        guard calls.renameat(AT_FDCWD, path(of: from), AT_FDCWD, path(of: to)) == 0 else {
            throw PointError.system("rename", Array(path(of: to).utf8), errno)
        }
    }

    /// Makes renames within `folder` durable.
    func sync(_ folder: String) throws {
        try open(folder, O_RDONLY | O_DIRECTORY).sync(Array(path(of: folder).utf8))
    }

    /// Makes the name of the store's directory durable in the one above, which this process may not
    /// be allowed to open: then its file system is synced.
    func syncOwnName() throws {
        let above = path(of: "..")
        let opened = calls.openat(AT_FDCWD, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if opened >= 0 { return try Descriptor(opened, calls).sync(Array(above.utf8)) }
        let folder = try open("", O_RDONLY | O_DIRECTORY)
        guard withExtendedLifetime(folder, { calls.syncfs(folder.raw) }) == 0 else {
            throw PointError.system("sync", Array(path.utf8), errno)
        }
    }

    /// Removes `name` if it is there; a failure is left to the next who clears.
    func remove(_ name: String) { _ = calls.unlinkat(AT_FDCWD, path(of: name), 0) }

    /// Removes `name`, which may be gone already. Durable once its folder was synced.
    func delete(_ name: String) throws {
        guard calls.unlinkat(AT_FDCWD, path(of: name), 0) == 0 || errno == ENOENT else {
            throw PointError.system("remove", Array(path(of: name).utf8), errno)
        }
    }

    /// The bytes of `name`; 0 if it is not there.
    func size(of name: String) throws -> UInt64 {
        var found = stat()
        guard calls.fstatat(AT_FDCWD, path(of: name), &found) == 0 else {
            if errno == ENOENT { return 0 }
            throw PointError.system("look at", Array(path(of: name).utf8), errno)
        }
        return UInt64(max(0, found.st_size))
    }

    /// Removes `name` with all it holds; a failure is left to the next who clears.
    func removeAll(_ name: String) {
        if calls.unlinkat(AT_FDCWD, path(of: name), 0) == 0 || errno == ENOENT { return }
        for child in (try? names(in: name)) ?? [] { removeAll(name + "/" + child) }
        _ = calls.unlinkat(AT_FDCWD, path(of: name), AT_REMOVEDIR)
    }

    /// Bytes that are free for this process on the store's file system.
    func freeBytes() throws -> UInt64 {
        let folder = try open("", O_RDONLY | O_DIRECTORY)
        var room = statvfs()
        guard withExtendedLifetime(folder, { calls.fstatvfs(folder.raw, &room) }) == 0 else {
            throw PointError.system("look at", Array(path.utf8), errno)
        }
        return UInt64(room.f_bavail) * UInt64(room.f_frsize)
    }
}
