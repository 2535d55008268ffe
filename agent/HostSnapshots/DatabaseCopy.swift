import Glibc
import SQLiteFile
import Synchronization

/// A copy of a live SQLite database by its online backup, whole as of one moment; WAL included.
final class DatabaseCopy {
    private static let counter = Atomic<Int>(0)
    private let path: [UInt8]
    private let files: StoreFiles
    /// The copy, below the store.
    private let name: String
    private var copy: String { files.path(of: name) }
    private let status: stat
    private var version = 0

    /// Nil if there is no database at `path`.
    init?(
        of path: String, root: HostRoot, store files: StoreFiles, stop: StopHook = StopHook()
    ) throws {
        self.path = Array(path.utf8)
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        self.files = files
        self.name = "tmp/database.\(number).\(getpid())"
        guard let (parent, name) = try root.parent(of: self.path),
            let found = try parent.status(of: name)
        else { return nil }
        guard found.st_mode & S_IFMT == S_IFREG else {
            throw PointError(
                "back up", path, "it is not a regular file", "name the database file itself")
        }
        status = found
        // The directory is held open, so that no link on the way can be exchanged meanwhile.
        let live = "/proc/self/fd/\(parent.raw)/" + String(decoding: name, as: UTF8.self)
        do {
            try SQLiteConnection(path: live, mode: .readOnly).backup(
                to: copy, isStopped: stop.isStopped)
            let check = try SQLiteConnection(path: copy, mode: .readWrite)
            let problems = try check.problems()
            guard problems.isEmpty else {
                throw PointError(
                    "back up", path, "the copy is damaged: \(problems.prefix(3))",
                    "repair the database or restore an earlier point")
            }
            version = try check.userVersion()
        } catch let error as SQLiteError {
            remove()
            if error.isInterrupted { throw StopHook.error }
            // The error names the way through the open directory; operators know the path.
            throw PointError(
                "back up", path, error.message,
                error.isBusy
                    ? "let the program that holds it end its transaction, or give the component "
                        + "restart: true"
                    : "name a sound SQLite database, or repair this one")
        } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    /// Stores the copy as chunks, its header's counters set to fixed values first, so that neither
    /// WAL nor counters show in the digest of the state.
    func entry(sink: any ObjectSink) throws -> Entry {
        let name = Array(copy.utf8)
        let file = try files.open(self.name, O_RDWR)
        var entry = Entry(kind: .database, path: path)
        entry.mode = UInt32(status.st_mode & 0o7777)
        entry.owner = status.st_uid
        entry.group = status.st_gid
        entry.target = Array(String(version).utf8)
        entry.size = UInt64(try file.status().st_size)
        try normalise(file, name)
        var buffer = [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes)
        var offset = 0
        while offset < Int(clamping: entry.size) {
            let count = try buffer.withUnsafeMutableBytes { try file.read($0, at: offset, name) }
            guard count > 0 else { throw PointError.damaged(copy, "it ends too early") }
            entry.chunks.append(
                try buffer.withUnsafeBytes {
                    try sink.put(UnsafeRawBufferPointer(rebasing: $0[..<count]))
                })
            offset += count
        }
        return entry
    }

    /// Counters that change without the content: file change counter, schema cookie, and the pair
    /// of version-valid-for and library version (https://sqlite.org/fileformat2.html, 1.3). Any
    /// values are valid in a file that no connection has open; equal ones make equal states equal.
    private func normalise(_ file: Descriptor, _ name: [UInt8]) throws {
        guard try file.status().st_size >= 100 else { return }
        let one: [UInt8] = [0, 0, 0, 1]
        for offset in [24, 40, 92] {
            guard pwrite(file.raw, one, 4, offset) == 4 else {
                throw PointError.system("write", name, errno)
            }
        }
        guard pwrite(file.raw, [0, 0, 0, 0], 4, 96) == 4 else {
            throw PointError.system("write", name, errno)
        }
    }

    /// Lets SQLite write the log of the database `name` back into its file, so that the file alone
    /// holds all. One that it cannot open stays as it is: what it holds is not known.
    static func settle(_ parent: Descriptor, _ name: [UInt8]) {
        func isFile(_ name: [UInt8]) -> Bool {
            guard let found = try? parent.status(of: name) else { return false }
            return found.st_mode & S_IFMT == S_IFREG
        }
        guard isFile(name) else { return }
        let live = "/proc/self/fd/\(parent.raw)/" + String(decoding: name, as: UTF8.self)
        _ = withPath(name) { path in
            parent.calls.settleDatabase(parent.raw, path) {
                do {
                    let database = try SQLiteConnection(path: live, mode: .readWrite)
                    try database.run(script: "PRAGMA synchronous=FULL")
                    _ = try database.query("PRAGMA wal_checkpoint(TRUNCATE)")
                    return true
                } catch {
                    return false
                }
            }
        }
    }

    private func remove() {
        for suffix in ["", "-wal", "-shm", "-journal"] { files.remove(name + suffix) }
    }
}
