import CLinux
import Glibc

/// One system call on files, as an interposer sees it.
struct FileCall {
    enum Kind {
        case open, read, write, look, list, size, sync, syncFileSystem, rename, exchange, remove
        case makeDirectory, makeNode, makeLink, link, readLink, mode, owner, time, readAttribute
        case writeAttribute, removeAttribute, clone, control, lock, space, database
    }
    var kind: Kind
    /// The open file, or the directory in which `name` is looked up; `AT_FDCWD` for whole paths.
    var file: Int32
    /// The name within `file`; nil for calls on the open file itself.
    var name: UnsafePointer<CChar>?
    /// Of a rename, an exchange or a link, where the other name is: as `file` and `name`.
    var source: (file: Int32, name: UnsafePointer<CChar>)?
    /// Bytes that a write was given; 0 for other calls.
    var count = 0
    /// True if the call may change what is on disk.
    var changes: Bool
}

/// What becomes of a call.
enum FileCallFate {
    case made
    /// Not made; it fails with this errno.
    case failed(Int32)
    /// A write that is made of its first bytes only, and says so.
    case torn(Int)
    /// Not made, and said to have been: a simulation keeps account of what a sync would have done.
    case pretended
}

/// Decides over each call before it is made: the seam for tests of crashes, faults and full disks.
protocol FileCallInterposer: Sendable {
    func fate(of call: FileCall) -> FileCallFate
}

/// The system calls on files of this module, all of them: each is named, answers and sets errno as
/// the C function does. In production they are made as they are; a test can interpose.
final class FileCalls: Sendable {
    /// Those of production.
    static let system = FileCalls(nil)

    private let interposer: (any FileCallInterposer)?

    init(_ interposer: (any FileCallInterposer)?) { self.interposer = interposer }

    /// True if a test watches: then work stays on one thread, in the same order each time.
    var isInterposed: Bool { interposer != nil }

    @inline(__always) private func make<Number: FixedWidthInteger & SignedInteger>(
        _ kind: FileCall.Kind, _ file: Int32, _ name: UnsafePointer<CChar>? = nil,
        source: (file: Int32, name: UnsafePointer<CChar>)? = nil, changes: Bool,
        _ body: () -> Number
    ) -> Number {
        guard let interposer else { return body() }
        let call = FileCall(kind: kind, file: file, name: name, source: source, changes: changes)
        switch interposer.fate(of: call) {
        case .made, .torn: return body()
        case .pretended: return 0
        case .failed(let code):
            errno = code
            return -1
        }
    }

    // MARK: - Opening, reading and writing

    func openat(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t = 0
    ) -> Int32 {
        make(.open, folder, name, changes: flags & (O_CREAT | O_TRUNC) != 0) {
            Glibc.openat(folder, name, flags, mode)
        }
    }

    func pread(_ file: Int32, _ room: UnsafeMutableRawPointer?, _ count: Int, _ offset: Int) -> Int
    {
        make(.read, file, changes: false) { Glibc.pread(file, room, count, offset) }
    }

    func write(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        guard let interposer else { return Glibc.write(file, bytes, count) }
        switch interposer.fate(
            of: FileCall(kind: .write, file: file, count: count, changes: true))
        {
        case .made: return Glibc.write(file, bytes, count)
        case .torn(let part): return Glibc.write(file, bytes, min(part, count))
        case .pretended: return count
        case .failed(let code):
            errno = code
            return -1
        }
    }

    func lseek(_ file: Int32, _ offset: Int, _ whence: Int32) -> Int {
        make(.look, file, changes: false) { Glibc.lseek(file, offset, whence) }
    }

    func ftruncate(_ file: Int32, _ size: Int) -> Int32 {
        make(.size, file, changes: true) { Glibc.ftruncate(file, size) }
    }

    func fsync(_ file: Int32) -> Int32 {
        make(.sync, file, changes: false) { Glibc.fsync(file) }
    }

    func syncfs(_ file: Int32) -> Int32 {
        make(.syncFileSystem, file, changes: false) { CLinux.syncfs(file) }
    }

    /// Starts to write what stands in the page cache, so that a later fsync is short. A hint: it
    /// makes nothing durable and may do nothing, so no test needs to see it.
    func startWriting(_ file: Int32, from offset: Int, count: Int) {
        // SYNC_FILE_RANGE_WRITE of linux/fs.h.
        if !isInterposed { _ = sync_file_range(file, offset, count, 2) }
    }

    /// `ioctl(FICLONE)`: `target` shares the blocks of `source`.
    func clone(_ target: Int32, from source: Int32) -> Int32 {
        make(.clone, target, changes: true) { Glibc.ioctl(target, belay_ficlone, source) }
    }

    func ioctl(
        _ file: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer, changes: Bool
    ) -> Int32 {
        make(.control, file, changes: changes) { Glibc.ioctl(file, request, argument) }
    }

    func flock(_ file: Int32, _ operation: Int32) -> Int32 {
        make(.lock, file, changes: false) { belay_flock(file, operation) }
    }

    // MARK: - Looking

    func fstat(_ file: Int32, _ found: inout stat) -> Int32 {
        make(.look, file, changes: false) { Glibc.fstat(file, &found) }
    }

    func fstatat(_ folder: Int32, _ name: UnsafePointer<CChar>, _ found: inout stat) -> Int32 {
        make(.look, folder, name, changes: false) {
            Glibc.fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// `statx` without following `name`; an empty name is the open file itself.
    func look(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ found: inout belay_status
    ) -> Int32 {
        make(.look, folder, name.pointee == 0 ? nil : name, changes: false) {
            belay_look(folder, name, &found)
        }
    }

    func fstatvfs(_ file: Int32, _ room: inout statvfs) -> Int32 {
        make(.space, file, changes: false) { Glibc.fstatvfs(file, &room) }
    }

    func readlinkat(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ room: UnsafeMutablePointer<CChar>,
        _ count: Int
    ) -> Int {
        make(.readLink, folder, name, changes: false) {
            Glibc.readlinkat(folder, name, room, count)
        }
    }

    /// `getdents64`: fills `room` with linux_dirent64 records; 0 at the end.
    func list(_ folder: Int32, _ room: UnsafeMutableRawPointer, _ count: Int) -> Int {
        make(.list, folder, changes: false) { CLinux.getdents64(folder, room, count) }
    }

    // MARK: - Names

    func renameat(
        _ from: Int32, _ old: UnsafePointer<CChar>, _ to: Int32, _ new: UnsafePointer<CChar>
    ) -> Int32 {
        make(.rename, to, new, source: (from, old), changes: true) {
            Glibc.renameat(from, old, to, new)
        }
    }

    /// `renameat2(RENAME_EXCHANGE)`.
    func exchange(
        _ from: Int32, _ old: UnsafePointer<CChar>, _ to: Int32, _ new: UnsafePointer<CChar>
    ) -> Int32 {
        make(.exchange, to, new, source: (from, old), changes: true) {
            renameat2(from, old, to, new, belay_rename_exchange)
        }
    }

    func unlinkat(_ folder: Int32, _ name: UnsafePointer<CChar>, _ flags: Int32) -> Int32 {
        make(.remove, folder, name, changes: true) { Glibc.unlinkat(folder, name, flags) }
    }

    func mkdirat(_ folder: Int32, _ name: UnsafePointer<CChar>, _ mode: mode_t) -> Int32 {
        make(.makeDirectory, folder, name, changes: true) { Glibc.mkdirat(folder, name, mode) }
    }

    func mknodat(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ mode: mode_t, _ device: dev_t
    ) -> Int32 {
        make(.makeNode, folder, name, changes: true) {
            Glibc.mknodat(folder, name, mode, device)
        }
    }

    func symlinkat(
        _ target: UnsafePointer<CChar>, _ folder: Int32, _ name: UnsafePointer<CChar>
    ) -> Int32 {
        make(.makeLink, folder, name, changes: true) { Glibc.symlinkat(target, folder, name) }
    }

    func linkat(
        _ from: Int32, _ old: UnsafePointer<CChar>, _ to: Int32, _ new: UnsafePointer<CChar>
    ) -> Int32 {
        make(.link, to, new, source: (from, old), changes: true) {
            Glibc.linkat(from, old, to, new, 0)
        }
    }

    // MARK: - SQLite

    /// What SQLite does with the database `name` by calls of its own, which keep it whole at each
    /// moment and durable at the end. `body` says whether it was done.
    func settleDatabase(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ body: () -> Bool
    ) -> Int32 {
        make(.database, folder, name, changes: true) { body() ? 0 : -1 }
    }

    // MARK: - Metadata

    func fchmod(_ file: Int32, _ mode: mode_t) -> Int32 {
        make(.mode, file, changes: true) { Glibc.fchmod(file, mode) }
    }

    func fchmodat(_ folder: Int32, _ name: UnsafePointer<CChar>, _ mode: mode_t) -> Int32 {
        make(.mode, folder, name, changes: true) {
            Glibc.fchmodat(folder, name, mode, AT_SYMLINK_NOFOLLOW)
        }
    }

    func fchown(_ file: Int32, _ owner: uid_t, _ group: gid_t) -> Int32 {
        make(.owner, file, changes: true) { Glibc.fchown(file, owner, group) }
    }

    func fchownat(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ owner: uid_t, _ group: gid_t
    ) -> Int32 {
        make(.owner, folder, name, changes: true) {
            Glibc.fchownat(folder, name, owner, group, AT_SYMLINK_NOFOLLOW)
        }
    }

    func futimens(_ file: Int32, _ times: UnsafePointer<timespec>) -> Int32 {
        make(.time, file, changes: true) { Glibc.futimens(file, times) }
    }

    func utimensat(
        _ folder: Int32, _ name: UnsafePointer<CChar>, _ times: UnsafePointer<timespec>
    ) -> Int32 {
        make(.time, folder, name, changes: true) {
            Glibc.utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW)
        }
    }

    // MARK: - Attributes, of open files and of paths whose last name is not followed

    func flistxattr(_ file: Int32, _ room: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        make(.readAttribute, file, changes: false) { CLinux.flistxattr(file, room, count) }
    }

    func llistxattr(
        _ path: UnsafePointer<CChar>, _ room: UnsafeMutablePointer<CChar>?, _ count: Int
    ) -> Int {
        make(.readAttribute, AT_FDCWD, path, changes: false) {
            CLinux.llistxattr(path, room, count)
        }
    }

    func fgetxattr(
        _ file: Int32, _ key: UnsafePointer<CChar>, _ room: UnsafeMutableRawPointer?, _ count: Int
    ) -> Int {
        make(.readAttribute, file, changes: false) { CLinux.fgetxattr(file, key, room, count) }
    }

    func lgetxattr(
        _ path: UnsafePointer<CChar>, _ key: UnsafePointer<CChar>,
        _ room: UnsafeMutableRawPointer?, _ count: Int
    ) -> Int {
        make(.readAttribute, AT_FDCWD, path, changes: false) {
            CLinux.lgetxattr(path, key, room, count)
        }
    }

    func fsetxattr(
        _ file: Int32, _ key: UnsafePointer<CChar>, _ value: UnsafeRawPointer, _ count: Int
    ) -> Int32 {
        make(.writeAttribute, file, changes: true) {
            CLinux.fsetxattr(file, key, value, count, 0)
        }
    }

    func lsetxattr(
        _ path: UnsafePointer<CChar>, _ key: UnsafePointer<CChar>, _ value: UnsafeRawPointer,
        _ count: Int
    ) -> Int32 {
        make(.writeAttribute, AT_FDCWD, path, changes: true) {
            CLinux.lsetxattr(path, key, value, count, 0)
        }
    }

    func fremovexattr(_ file: Int32, _ key: UnsafePointer<CChar>) -> Int32 {
        make(.removeAttribute, file, changes: true) { CLinux.fremovexattr(file, key) }
    }

    func lremovexattr(_ path: UnsafePointer<CChar>, _ key: UnsafePointer<CChar>) -> Int32 {
        make(.removeAttribute, AT_FDCWD, path, changes: true) { CLinux.lremovexattr(path, key) }
    }
}
