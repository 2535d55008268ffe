import Foundation
import Glibc

/// A file system of its own with few bytes, for tests of full disks. Only root can mount one.
struct SmallDisk {
    static var isAllowed: Bool { geteuid() == 0 }

    let path: String

    init(at path: String, bytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        guard mount("none", path, "tmpfs", 0, "size=\(bytes),mode=0700") == 0 else {
            throw Trouble("mount a tmpfs on \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Takes all bytes that are left on the disk at `path`.
    static func fill(_ path: String) throws {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw Trouble("filler: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 7, count: 1 << 16)
        while true {
            let count = write(file, bytes, bytes.count)
            if count > 0 { continue }
            guard count < 0, errno == ENOSPC else { throw Trouble("filler: errno \(errno)") }
            if bytes.count == 1 { return }
            bytes = Array(bytes.prefix(bytes.count / 2))
        }
    }

    /// Gives them back.
    static func free(_ path: String) { unlink(path + "/filler") }

    func remove() { umount2(path, Int32(MNT_DETACH)) }
}
