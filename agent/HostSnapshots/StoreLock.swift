import Glibc

/// The locks of a store's directory, by `flock`; the format's section "Locks". The kernel takes them
/// back from a process that dies.
enum StoreLock {
    /// Holds off that objects are removed; given back when the descriptor is closed. Nil on a file
    /// system that is mounted read-only: nobody can remove anything there.
    static func objectsInUse(_ files: StoreFiles) throws -> Descriptor? {
        do {
            return try take("objects.lock", LOCK_SH, files)
        } catch let error as PointError where error.isReadOnly {
            return nil
        }
    }

    /// Holds off all who read objects; nil, at once, if somebody does.
    static func objectsAlone(_ files: StoreFiles) throws -> Descriptor? {
        try take("objects.lock", LOCK_EX | LOCK_NB, files)
    }

    /// Nil, at once, if another one holds it.
    static func attempt(_ name: String, _ files: StoreFiles) throws -> Descriptor? {
        try take(name, LOCK_EX | LOCK_NB, files)
    }

    private static func take(
        _ name: String, _ operation: Int32, _ files: StoreFiles
    ) throws -> Descriptor? {
        let file = try files.open(name, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        while files.calls.flock(file.raw, operation) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK where operation & LOCK_NB != 0: return nil
            default: throw PointError.system("lock", Array(files.path(of: name).utf8), errno)
            }
        }
        return file
    }
}
