import CLinux
import Glibc

/// What `statx` tells of a file.
typealias FileStatus = belay_status

extension belay_status {
    /// The bits of `st_mode` that say what it is.
    var type: mode_t { mode_t(mode) & S_IFMT }
    var isDirectory: Bool { type == S_IFDIR }
    var isRegular: Bool { type == S_IFREG }
    /// Changes of content or of anything else about the file change this, in nanoseconds.
    var changed: Int64 { Self.nanoseconds(changed_seconds, changed_nanoseconds) }
    var modified: Int64 { Self.nanoseconds(modified_seconds, modified_nanoseconds) }

    /// STATX_ATTR_IMMUTABLE, STATX_ATTR_APPEND and STATX_ATTR_MOUNT_ROOT of linux/stat.h.
    var isImmutable: Bool { attributes & 0x10 != 0 }
    var isAppendOnly: Bool { attributes & 0x20 != 0 }
    var isMountRoot: Bool { attributes & 0x2000 != 0 }
    /// Fewer blocks than its size needs: it has holes, or the file system compresses.
    var mayHaveHoles: Bool { blocks &* 512 < size }

    /// The flags of its entry that its status tells.
    var entryFlags: UInt8 {
        (isImmutable ? Entry.immutable : 0) | (isAppendOnly ? Entry.appendOnly : 0)
            | (isRegular && mayHaveHoles ? Entry.sparse : 0)
    }

    /// True if nothing that is captured of the file can differ between the two.
    func isSame(as other: FileStatus) -> Bool {
        inode == other.inode && device == other.device && size == other.size
            && changed_seconds == other.changed_seconds
            && changed_nanoseconds == other.changed_nanoseconds
            && modified_seconds == other.modified_seconds
            && modified_nanoseconds == other.modified_nanoseconds
    }

    /// True if the last change lies so far before `now` that another one would show in its time.
    func isSettled(at now: Int64) -> Bool {
        max(changed, modified) < now - SnapshotLimits.settledNanoseconds
    }

    private static func nanoseconds(_ seconds: Int64, _ rest: UInt32) -> Int64 {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole &+ Int64(rest)
    }
}

extension Descriptor {
    /// What `name` (a C string) in this directory is; nil if it is not there. `path` is for errors.
    func look(_ name: UnsafePointer<CChar>, _ path: [UInt8]) throws -> FileStatus? {
        var found = FileStatus()
        if calls.look(raw, name, &found) == 0 { return found }
        if errno == ENOENT { return nil }
        throw PointError.system("look at", path, errno)
    }

    /// What this open file is.
    func look(_ path: [UInt8]) throws -> FileStatus {
        var found = FileStatus()
        guard calls.look(raw, "", &found) == 0 else {
            throw PointError.system("look at", path, errno)
        }
        return found
    }
}

/// The present time of the clock that file times come from.
func wallClockNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
