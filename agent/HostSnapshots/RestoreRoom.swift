import FleetWire
import Glibc

/// The space that plans need on each file system, held against what is free there.
struct RestoreRoom {
    private struct Need {
        var names: Set<ComponentName> = []
        var bytes: UInt64 = 0
        var entries: UInt64 = 0
        var freed: UInt64 = 0
        let place: Descriptor
    }

    /// True if all fits beside what is there; else what was added later must go first.
    private(set) var fitsBeside = true

    /// Throws if `plans` cannot be carried out even if what they remove goes first.
    init(_ plans: [RestorePlan], _ root: HostRoot) throws {
        var needs: [dev_t: Need] = [:]
        for plan in plans {
            for room in plan.rooms where room.made > 0 || room.freed > 0 {
                let place = try Self.place(of: room.root, root)
                let device = try place.status().st_dev
                var need = needs[device] ?? Need(place: place)
                if room.made > 0 { need.names.insert(plan.component) }
                need.bytes = need.bytes.saturating(room.needed)
                need.entries += room.made
                need.freed = need.freed.saturating(room.freed)
                needs[device] = need
            }
        }
        for need in needs.values where need.entries > 0 { try check(need) }
    }

    private mutating func check(_ need: Need) throws {
        let names = need.names.sorted().map(\.rawValue).joined(separator: ", ")
        var room = statvfs()
        guard need.place.calls.fstatvfs(need.place.raw, &room) == 0 else {
            throw PointError.system("look at the space for", Array(names.utf8), errno)
        }
        let free = UInt64(room.f_bavail) * UInt64(room.f_frsize)
        let wanted = need.bytes.saturating(SnapshotLimits.spareBytes)
        if free < wanted { fitsBeside = false }
        guard free.saturating(need.freed) >= wanted else {
            throw PointError(
                "restore", "component \(names)",
                "it may take \(need.bytes) bytes, \(free) are free and it frees \(need.freed)",
                "free \(wanted - free - need.freed) bytes there")
        }
        // A file system without a table of inodes says that it has none.
        guard room.f_files == 0 || room.f_favail >= need.entries else {
            throw PointError(
                "restore", "component \(names)",
                "it makes \(need.entries) files and \(room.f_favail) more can be made there",
                "remove files there")
        }
    }

    /// The nearest directory above `path` that is there.
    private static func place(of path: [UInt8], _ root: HostRoot) throws -> Descriptor {
        var path = path
        while let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0 {
            if let (parent, _) = try root.parent(of: path) { return parent }
            path = Array(path[..<slash])
        }
        return root.directory
    }
}
