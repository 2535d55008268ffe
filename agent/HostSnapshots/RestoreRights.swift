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
        while let last = folders.last, !directory.path.isBelow(last.path) { folders.removeLast() }
        folders.append(directory)
    }

    /// Throws if `present` cannot be removed, replaced or repaired, or `wanted` not be made.
    func check(_ present: Entry?, _ wanted: Entry?) throws {
        let path = wanted?.path ?? present?.path ?? []
        while let last = folders.last, last.path != path, !path.isBelow(last.path) {
            folders.removeLast()
        }
        let isOwn = folders.last?.path == path
        let holder = isOwn ? folders.dropLast().last : folders.last
        for one in [present, holder] { try Self.checkFrozen(one, path) }
        guard user != 0 else { return }
        if let present, present.owner != user, wanted?.kind == .directory {
            throw denied(path, "it belongs to user \(present.owner)")
        }
        if let wanted { try checkOwner(wanted) }
        if let holder, holder.owner != user {
            let isMember = groups.contains(holder.group)
            let bits: UInt32 = isMember ? 0o030 : 0o003
            guard holder.mode & bits == bits else {
                throw denied(path, "its directory belongs to user \(holder.owner)")
            }
            if let present, holder.mode & 0o1000 != 0, present.owner != user {
                throw denied(path, "it belongs to user \(present.owner) in a sticky directory")
            }
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
        case .hardLink, .absent, .socket, .service: break
        }
    }

    private func denied(_ path: [UInt8], _ why: String) -> PointError {
        PointError(
            "restore", printable(path), "\(why), and this process runs as user \(user)",
            "run the restore as root")
    }

    private static func checkFrozen(_ entry: Entry?, _ path: [UInt8]) throws {
        guard let entry, entry.flags & (Entry.immutable | Entry.appendOnly) != 0 else { return }
        let what = entry.flags & Entry.immutable != 0 ? "immutable" : "append-only"
        throw PointError(
            "restore", printable(path),
            "\(entry.path == path ? "it" : "its directory") is \(what)",
            "run chattr -i -a \(printable(entry.path)) first")
    }
}
