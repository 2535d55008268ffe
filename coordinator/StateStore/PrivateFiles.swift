import Glibc

/// Files that nobody else may read.
package enum PrivateFiles {
    /// Throws `StoreError.tooOpen` if group or others have any permission on `path`,
    /// `StoreError.unusable` if it is not there.
    package static func requirePrivate(_ path: String) throws(StoreError) {
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw .unusable("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        guard info.st_mode & 0o077 == 0 else {
            let isDirectory = info.st_mode & S_IFMT == S_IFDIR
            throw .tooOpen(
                path: path, mode: String(info.st_mode & 0o7777, radix: 8),
                remedy: "chmod \(isDirectory ? "0700" : "0600") \(path)")
        }
    }

    /// Writes `bytes` to `path` with mode 0600: beside, synced, renamed, directory synced.
    package static func write(_ bytes: [UInt8], to path: String) throws(StoreError) {
        let beside = path + ".new"
        let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("create", beside) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(file, buffer.baseAddress.map { $0 + sent }, buffer.count - sent)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let why = failure("write", beside)
                close(file)
                throw why
            }
            sent += count
        }
        guard fsync(file) == 0, close(file) == 0, rename(beside, path) == 0 else {
            throw failure("write", path)
        }
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        let directory = open((path.hasPrefix("/") ? "/" : "./") + parent, O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("sync the directory of", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("sync the directory of", path) }
    }

    private static func failure(_ attempt: String, _ path: String) -> StoreError {
        .unusable("cannot \(attempt) \(path): \(String(cString: strerror(errno)))")
    }
}

/// Keeps a second process off a store, for as long as this value lives.
final class StoreLock: Sendable {
    private let file: Int32

    init(path: String) throws(StoreError) {
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .unusable("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            var bytes = [UInt8](repeating: 0, count: 32)
            let count = pread(file, &bytes, bytes.count, 0)
            close(file)
            throw .locked(
                path: path,
                process: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
        }
        let me = Array(String(getpid()).utf8)
        ftruncate(file, 0)
        pwrite(file, me, me.count, 0)
    }

    deinit { close(file) }
}
