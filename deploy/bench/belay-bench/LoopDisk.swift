import Glibc

/// A file system of its own in a file, mounted through a loop device; root only.
final class LoopDisk {
    /// Where it is mounted.
    let path: String
    private let runner: ProgramRunner
    private var isMounted = false

    /// The kinds that can be made.
    static let kinds = ["ext4", "xfs", "btrfs"]

    /// Makes a file system of `kind` in a file below `place`, with `bytes` of room that are taken at
    /// once, and mounts it. Throws if a program is missing or refuses.
    ///
    /// What is written goes past the cache of the file beneath: all of it would be kept, and copied,
    /// twice.
    init(_ kind: String, bytes: Int, place: String, runner: ProgramRunner) throws {
        path = "\(place)/disk"
        self.runner = runner
        try Folder.make(path)
        let image = "\(place)/image"
        try TextFile.write("", to: image, mode: 0o600)
        try Self.allocate(image, bytes)
        // ext4 would write its tables during what is timed, and has room for too few small files.
        let options =
            kind == "ext4"
            ? ["-q", "-i", "8192", "-E", "lazy_itable_init=0,lazy_journal_init=0"] : ["-q"]
        guard let make = Programs.find("mkfs.\(kind)"), let mount = Programs.find("mount"),
            let losetup = Programs.find("losetup")
        else { throw BenchFailure("mkfs.\(kind), mount or losetup is not installed") }
        try runner.succeed([make] + options + [image])
        let shown = try runner.succeed([losetup, "--find", "--show", "--direct-io=on", image])
        let device = String(shown.prefix { !$0.isWhitespace })
        // Once it is mounted, to detach means: when it is unmounted.
        defer { _ = try? runner.succeed([losetup, "--detach", device]) }
        try runner.succeed([mount, device, path])
        isMounted = true
    }

    private static func allocate(_ image: String, _ bytes: Int) throws {
        let file = open(image, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw BenchFailure.system("open", image, errno) }
        defer { close(file) }
        let refusal = posix_fallocate(file, 0, bytes)
        guard refusal == 0 else { throw BenchFailure.system("make", image, refusal) }
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
