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

    /// Opens `name`; throws if it cannot be.
    func open(_ name: String, _ flags: Int32, mode: mode_t = 0) throws -> Descriptor {
        let path = path(of: name)
        let opened = calls.openat(AT_FDCWD, path, flags | O_CLOEXEC, mode)
        guard opened >= 0 else { throw PointError.system("open", Array(path.utf8), errno) }
        return Descriptor(opened, calls)
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
        let opened = calls.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC)
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

    /// Makes renames within `folder` durable.
    func sync(_ folder: String) throws {
        try open(folder, O_RDONLY | O_DIRECTORY).sync(Array(path(of: folder).utf8))
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
