import FoundationEssentials
import Glibc
import HostProcesses

/// Reads and replaces files of this host.
enum HostFile {
    /// The most that a configuration or flag file may hold.
    static let bytesMax = 16 << 20

    struct Existing {
        let bytes: [UInt8]
        let mode: mode_t
        let owner: uid_t
        let group: gid_t
    }

    /// The regular file at `path`; nil if there is nothing. Symbolic links are refused: replacing
    /// one would leave the file that it names as it was.
    static func read(_ path: String) throws(StepFailure) -> Existing? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            let code = errno
            if code == ENOENT { return nil }
            throw StepFailure("\(path): \(errorText(code))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StepFailure("\(path) is not a regular file; name the file itself")
        }
        guard status.st_size <= bytesMax else {
            throw StepFailure("\(path) is larger than \(bytesMax) bytes")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            throw StepFailure("\(path): \(errorText(errno)); check owner and permissions")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StepFailure("\(path): \(errorText(errno))") }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return Existing(
            bytes: bytes, mode: status.st_mode & 0o7777, owner: status.st_uid,
            group: status.st_gid)
    }

    /// Puts `bytes` at `path`, whole or not at all, durable on return. Owner and mode of
    /// `existing` are kept; a new file gets `mode`.
    static func replace(
        _ path: String, with bytes: [UInt8], existing: Existing?, mode: mode_t
    ) throws(StepFailure) {
        let beside = StepLeftovers.beside(path)
        unlink(beside)
        let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            throw StepFailure(
                "\(beside): \(errorText(errno)); the folder must exist and be writable")
        }
        do throws(StepFailure) {
            defer { close(file) }
            try write(bytes, to: file, beside)
            if let existing, existing.owner != geteuid() || existing.group != getegid() {
                guard fchown(file, existing.owner, existing.group) == 0 else {
                    throw StepFailure("\(path): its owner cannot be kept: \(errorText(errno))")
                }
            }
            guard fchmod(file, existing?.mode ?? mode) == 0, fsync(file) == 0 else {
                throw StepFailure("\(beside): \(errorText(errno))")
            }
            guard rename(beside, path) == 0 else {
                throw StepFailure("\(path): \(errorText(errno))")
            }
        } catch {
            unlink(beside)
            throw error
        }
        try syncFolder(of: path)
    }

    /// Makes what was renamed in the folder of `path` durable.
    static func syncFolder(of path: String) throws(StepFailure) {
        let parent = HostPath.parent(of: path)
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw StepFailure("\(parent): \(errorText(errno))") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw StepFailure("\(parent): \(errorText(errno))") }
    }

    /// Removes a file or a whole tree; nothing there is fine.
    static func remove(_ path: String) throws(StepFailure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw StepFailure("\(path) cannot be removed: \(error)")
        }
    }

    private static func write(
        _ bytes: [UInt8], to file: Int32, _ path: String
    ) throws(StepFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let remedy = errno == ENOSPC ? "; free space on its file system" : ""
                throw StepFailure("\(path): \(errorText(errno))\(remedy)")
            }
            rest = rest.dropFirst(count)
        }
    }
}
