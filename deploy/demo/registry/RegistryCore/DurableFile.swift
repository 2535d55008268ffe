import FoundationEssentials
import Glibc

/// Files that are either whole or not there, and on disk when a call returns.
enum DurableFile {
    static func read(_ path: String) throws(RegistryProblem) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw RegistryProblem(.unavailable, "cannot read \(path): \(error)")
        }
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Makes a folder and those above it.
    static func makeDirectory(_ path: String) throws(RegistryProblem) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RegistryProblem(.unavailable, "cannot make the folder \(path): \(error)")
        }
    }

    /// Writes beside the destination, syncs, renames over it, and syncs the folder.
    static func write(_ bytes: [UInt8], to path: String) throws(RegistryProblem) {
        let partial = path + ".partial"
        let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("create", partial) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { unsafe in
                Glibc.write(file, unsafe.baseAddress, unsafe.count)
            }
            guard count >= 0 || errno == EINTR else {
                let problem = failure("write", partial)
                close(file)
                throw problem
            }
            written += max(count, 0)
        }
        let synced = fsync(file) == 0
        let problem = failure("sync", partial)
        close(file)
        guard synced else { throw problem }
        try move(partial, to: path)
    }

    /// Renames a file over another, and syncs the folder.
    static func move(_ source: String, to path: String) throws(RegistryProblem) {
        guard rename(source, path) == 0 else { throw failure("rename", source) }
        try syncFolder(of: path)
    }

    /// Removes a file; one that is gone already is no failure.
    static func remove(_ path: String) throws(RegistryProblem) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
        try syncFolder(of: path)
    }

    private static func syncFolder(of path: String) throws(RegistryProblem) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw failure("open", folder) }
        let synced = fsync(opened) == 0
        let problem = failure("sync", folder)
        close(opened)
        guard synced else { throw problem }
    }

    private static func failure(_ verb: String, _ path: String) -> RegistryProblem {
        RegistryProblem(.unavailable, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
