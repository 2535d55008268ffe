import Glibc

/// A file system of its own in a file, mounted through a loop device; root only.
final class LoopDisk {
    /// Where it is mounted.
    let path: String
    private let runner: ProgramRunner
    private var isMounted = false

    /// The kinds that can be made.
    static let kinds = ["ext4", "xfs", "btrfs"]

    /// Makes a file system of `kind`, with `bytes` of room (the file is sparse)
    /// below `place`, and mounts it. Throws if a program is missing or refuses.
    init(_ kind: String, bytes: Int, place: String, runner: ProgramRunner) throws {
        path = "\(place)/disk"
        self.runner = runner
        try Folder.make(path)
        let image = "\(place)/image"
        try TextFile.write("", to: image, mode: 0o600)
        guard truncate(image, bytes) == 0 else { throw BenchFailure.system("make", image, errno) }
        // ext4 would write its tables during what is timed, and has room for too few small files.
        let options =
            kind == "ext4"
            ? ["-q", "-i", "8192", "-E", "lazy_itable_init=0,lazy_journal_init=0"] : ["-q"]
        guard let make = Programs.find("mkfs.\(kind)"), let mount = Programs.find("mount") else {
            throw BenchFailure("mkfs.\(kind) or mount is not installed")
        }
        try runner.succeed([make] + options + [image])
        try runner.succeed([mount, "-o", "loop", image, path])
        isMounted = true
    }

    /// The bytes in use once all that was written is on the disk.
    func usedBytes() throws -> Int {
        sync()
        return try Folder.usedBytes(path)
    }

    /// Unmounts it, which frees its loop device; works after an interruption too.
    func remove() {
        guard isMounted else { return }
        isMounted = false
        sync()
        if umount2(path, 0) != 0 { umount2(path, Int32(MNT_DETACH)) }
    }

    deinit { remove() }
}
