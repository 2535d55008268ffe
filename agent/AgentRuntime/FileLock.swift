import Glibc

/// A lock on a file that the kernel lets go when its holder ends, however it ends.
package final class FileLock: Sendable {
    private let file: Int32

    private init(file: Int32) { self.file = file }

    /// Takes the lock, or gives nil while another process holds it. Throws when the file cannot be
    /// opened.
    package static func take(_ path: String) throws -> FileLock? {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw StateDirectory.failure("open", path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        let me = Array(String(getpid()).utf8)
        ftruncate(file, 0)
        pwrite(file, me, me.count, 0)
        return FileLock(file: file)
    }

    /// Takes the lock, trying for `seconds`; blocks the thread.
    package static func take(_ path: String, within seconds: Int) throws -> FileLock? {
        for _ in 0..<max(1, seconds * 20) {
            if let lock = try take(path) { return lock }
            usleep(50_000)
        }
        return nil
    }

    /// True while some process holds the lock.
    package static func isHeld(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0
    }

    /// The process that wrote itself into the lock's file.
    package static func holder(_ path: String) -> Int32? {
        StateDirectory.read(path: path).flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    deinit { close(file) }
}
