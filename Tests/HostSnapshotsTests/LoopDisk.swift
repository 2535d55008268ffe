import Foundation
import Glibc

@testable import HostSnapshots

/// A small file system of its own in an image file, for tests of full disks; only root mounts one.
final class LoopDisk {
    let path: String
    /// Holds the image, and so must outlive the mount.
    private let scratch: Scratch

    /// Makes a file system of `kind` (`ext4`, `btrfs`, `xfs`) in `scratch` and mounts it at the new
    /// directory `path`.
    init(_ kind: String, megabytes: Int, at path: String, in scratch: Scratch, options: String = "")
        throws
    {
        self.path = path
        self.scratch = scratch
        let image = scratch.path + "/image.\(kind)"
        guard mkdir(path, 0o755) == 0 else { throw TestFailure("make \(path)") }
        try Scratch.run(["truncate", "-s", "\(megabytes)M", image])
        try Scratch.run(["mkfs.\(kind)", "-q", image])
        let all = options.isEmpty ? "loop" : "loop," + options
        try Scratch.run(["mount", "-t", kind, "-o", all, image, path])
    }

    deinit { _ = try? Scratch.run(["umount", path]) }

    /// Nil if file systems of `kind` can be made here, else why not.
    static func isAvailable(_ kind: String) -> Bool {
        geteuid() == 0 && access("/usr/sbin/mkfs.\(kind)", X_OK) == 0
            && access("/dev/loop-control", F_OK) == 0
    }

    /// Bytes that are free.
    var free: Int {
        var room = statvfs()
        statvfs(path, &room)
        return Int(room.f_bavail) * Int(room.f_frsize)
    }

    /// Takes all space but about `left` bytes.
    func fill(leaving left: Int = 0) {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        var block = [UInt8](repeating: 7, count: 65_536)
        while true {
            if free - block.count >= left, Glibc.write(file, block, block.count) > 0 { continue }
            if block.count <= 512 { return }
            block = Array(block.prefix(block.count / 2))
        }
    }

    /// Gives it back.
    func drain() { unlink(path + "/filler") }
}
