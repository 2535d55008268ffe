import FoundationEssentials
import Glibc

/// Directories: made, removed and counted.
enum Folder {
    /// Makes `path` and what is missing above it.
    static func make(_ path: String) throws {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex
        else { throw BenchFailure.system("make", path, errno) }
        try make(String(path[..<slash]))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw BenchFailure.system("make", path, errno)
        }
    }

    /// Removes `path` and all below it, on its own file system only; nothing if it is not there.
    static func remove(_ path: String) throws {
        guard let status = status(of: path) else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 else { throw BenchFailure.system("remove", path, errno) }
            return
        }
        let device = status.st_dev
        try walk(path) { path, status, isLeft in
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            guard status.st_dev == device else {
                throw BenchFailure("cannot remove \(path): something is mounted there")
            }
            guard !isDirectory || isLeft else { return }
            guard (isDirectory ? rmdir(path) : unlink(path)) == 0 else {
                throw BenchFailure.system("remove", path, errno)
            }
        }
    }

    /// The bytes that `path` and all below it take on the disk; 0 if it is not there.
    static func storedBytes(_ path: String) throws -> Int {
        var bytes = 0
        guard status(of: path) != nil else { return 0 }
        try walk(path) { _, status, isLeft in if !isLeft { bytes += Int(status.st_blocks) * 512 } }
        return bytes
    }

    /// The bytes that anybody may still take on the file system of `path`.
    static func freeBytes(_ path: String) throws -> Int {
        var found = statvfs()
        guard statvfs(path, &found) == 0 else { throw BenchFailure.system("look at", path, errno) }
        return Int(found.f_bavail) * Int(found.f_frsize)
    }

    /// The bytes that are in use on the file system of `path`.
    static func usedBytes(_ path: String) throws -> Int {
        var found = statvfs()
        guard statvfs(path, &found) == 0 else { throw BenchFailure.system("look at", path, errno) }
        return Int(found.f_blocks - found.f_bfree) * Int(found.f_frsize)
    }

    static func absolute(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath
        return URL(fileURLWithPath: path.hasPrefix("/") ? path : "\(here)/\(path)")
            .standardizedFileURL.path
    }

    /// Visits the directory `path` and all below it: directories when they are entered and, with
    /// true, when they are left.
    static func walk(_ path: String, _ visit: (String, stat, Bool) throws -> Void) throws {
        guard let status = status(of: path) else { throw BenchFailure.system("read", path, errno) }
        try visit(path, status, false)
        guard status.st_mode & S_IFMT == S_IFDIR else { return }
        for name in try names(in: path) { try walk("\(path)/\(name)", visit) }
        try visit(path, status, true)
    }

    private static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw BenchFailure.system("open", path, errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            // The benchmark's own names are ASCII, and so are those of all stores.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Nil, with `errno` set, if it cannot be looked at. A link is not followed.
    private static func status(of path: String) -> stat? {
        var found = stat()
        return lstat(path, &found) == 0 ? found : nil
    }
}
