import Glibc

/// Whether this process may do to an entry what a restore needs, told from entries alone and before
/// anything changes.
final class RestoreRights {
    private let user: uid_t
    private let groups: Set<UInt32>
    /// The directories on the way to the entry that comes next, as they are now.
    private var folders: [Entry] = []

    init(user: uid_t, groups: Set<gid_t>) {
        self.user = user
        self.groups = groups
    }

    /// Those of this process.
    convenience init() {
        var list = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = getgroups(Int32(list.count), &list)
        self.init(
            user: geteuid(), groups: Set(list.prefix(Int(max(0, count)))).union([getegid()]))
    }

    /// Must be called with each present directory.
    func enter(_ directory: Entry) {
        leave(directory.path)
        folders.append(directory)
    }

    /// Throws if `present` cannot be removed, replaced or repaired, or `wanted` not be made.
    func check(_ present: Entry?, _ wanted: Entry?) throws {
        guard let path = wanted?.path ?? present?.path else { return }
        leave(path)
        if let present {
            try Self.checkFrozen(present, path)
            // A directory that stays is repaired in place; all else is replaced in its directory.
            if user != 0, present.kind == .directory, wanted?.kind == .directory,
                present.owner != user
            {
                throw denied(path, "it belongs to user \(present.owner)")
            }
        }
        var holder = folders.count - 1
        if holder >= 0, folders[holder].path == path { holder -= 1 }
        // The entry of a further name of an inode does not say whose it is.
        let owner = present.flatMap { $0.kind == .hardLink ? nil : $0.owner }
        if holder >= 0 { try check(holder: folders[holder], path, owner) }
        if user != 0, let wanted { try checkOwner(wanted) }
    }

    private func leave(_ path: [UInt8]) {
        while let last = folders.last?.path, last != path, !path.isBelow(last) {
            folders.removeLast()
        }
    }

    private func check(holder: Entry, _ path: [UInt8], _ owner: UInt32?) throws {
        try Self.checkFrozen(holder, path)
        guard user != 0, holder.owner != user else { return }
        let bits: UInt32 = groups.contains(holder.group) ? 0o030 : 0o003
        guard holder.mode & bits == bits else {
            throw denied(path, "its directory belongs to user \(holder.owner)")
        }
        if let owner, holder.mode & 0o1000 != 0, owner != user {
            throw denied(path, "it belongs to user \(owner) in a sticky directory")
        }
    }

    private func checkOwner(_ wanted: Entry) throws {
        switch wanted.kind {
        case .characterDevice, .blockDevice:
            throw denied(wanted.path, "only root makes devices")
        case .regular, .directory, .symbolicLink, .fifo, .database:
            guard wanted.owner == user, groups.contains(wanted.group) else {
                throw denied(
                    wanted.path, "it belonged to user \(wanted.owner), group \(wanted.group)")
            }
        case .hardLink, .absent, .socket, .service, .stream, .package, .subvolume: break
        }
    }

    private func denied(_ path: [UInt8], _ why: String) -> PointError {
        PointError(
            "restore", printable(path), "\(why), and this process runs as user \(user)",
            "run the restore as root")
    }

    private static func checkFrozen(_ entry: Entry, _ path: [UInt8]) throws {
        guard entry.flags & (Entry.immutable | Entry.appendOnly) != 0 else { return }
        let what = entry.flags & Entry.immutable != 0 ? "immutable" : "append-only"
        throw PointError(
            "restore", printable(path),
            "\(entry.path == path ? "it" : "its directory") is \(what)",
            "run chattr -i -a \(printable(entry.path)) first")
    }
}
