import CLinux
import FoundationEssentials
import Glibc

/// The folder in which a run makes everything, for itself alone, and which it removes at the end.
final class WorkDirectory {
    /// `DIRECTORY/work`.
    let path: String
    private let lock: Int32
    private var mark: String { "\(path)/.belay-bench" }

    /// Takes `directory/work` and empties it of what a run that was killed left. Throws if another
    /// run holds it, or if something lies there that no run made.
    init(in directory: String) throws {
        path = "\(directory)/work"
        try Folder.make(directory)
        lock = open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw BenchFailure.system("open", "\(directory)/lock", errno) }
        guard belay_flock(lock, Int32(LOCK_EX | LOCK_NB)) == 0 else {
            close(lock)
            throw BenchFailure("another run uses \(directory); wait for it, or use --directory")
        }
        try empty()
    }

    /// Unmounts and removes everything in it, but not the directory itself.
    func empty() throws {
        try clear()
        try Folder.make(path)
        try TextFile.write("", to: mark)
    }

    /// Unmounts and removes everything.
    func clear() throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        guard !names.isEmpty else { return }
        guard access(mark, F_OK) == 0 else {
            throw BenchFailure("\(path) holds files that no benchmark made; use --directory")
        }
        for mounted in Self.mounts(below: path, in: TextFile.read("/proc/self/mounts") ?? "") {
            guard umount2(mounted, Int32(MNT_DETACH)) == 0 else {
                throw BenchFailure.system("unmount", mounted, errno)
            }
        }
        for name in names where name != ".belay-bench" { try Folder.remove("\(path)/\(name)") }
        // The mark goes last: a removal that is cut off is continued by the next run.
        try Folder.remove(path)
    }

    /// Throws unless the file system has `bytes` and `files` to give.
    func require(bytes: Int, files: Int) throws {
        var found = statvfs()
        guard statvfs(path, &found) == 0 else { throw BenchFailure.system("look at", path, errno) }
        let free = Int(found.f_bavail) * Int(found.f_frsize)
        guard free >= bytes else {
            throw BenchFailure(
                "\(path) needs \(bytes / 1_000_000_000) GB and has \(free / 1_000_000_000) GB; "
                    + "use --directory, --tree or --quick")
        }
        // Some file systems have no fixed number of files, and say 0.
        guard found.f_files == 0 || Int(found.f_favail) >= files else {
            throw BenchFailure(
                "\(path) needs \(files) files and has room for \(found.f_favail); "
                    + "use --directory, --tree or --quick")
        }
    }

    /// Where file systems are mounted below `path`, the innermost first, from the text of
    /// `/proc/self/mounts`, which writes spaces and such as three octal digits.
    static func mounts(below path: String, in text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 1 else { return nil }
            let place = fields[1].replacing("\\040", with: " ").replacing("\\134", with: "\\")
            return place.hasPrefix(path + "/") ? String(place) : nil
        }.sorted { $0.utf8.count > $1.utf8.count }
    }

    deinit { close(lock) }
}
