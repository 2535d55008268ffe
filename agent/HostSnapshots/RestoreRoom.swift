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

        /// True if there is room for copies of all of it.
        func surelyFits() throws -> Bool {
            let room = try self.room()
            return UInt64(room.f_bavail) * UInt64(room.f_frsize)
                >= bytes.saturating(SnapshotLimits.spareBytes)
        }

        func room() throws -> statvfs {
            var room = statvfs()
            guard place.calls.fstatvfs(place.raw, &room) == 0 else {
                let components = names.sorted().map(\.rawValue).joined(separator: ", ")
                throw PointError.system("look at the space for", Array(components.utf8), errno)
            }
            return room
        }
    }

    /// True if all fits beside what is there; else what was added later must go first.
    private(set) var fitsBeside = true

    /// Throws if `plans` cannot be carried out even if what they remove goes first.
    init(_ plans: [RestorePlan], _ root: HostRoot, _ objects: ObjectReader? = nil) throws {
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
        if let objects, try needs.values.contains(where: { try $0.entries > 0 && !$0.surelyFits() })
        {
            try Self.share(plans, root, objects, &needs)
        }
        for need in needs.values where need.entries > 0 { try check(need) }
    }

    /// Takes off what clones save; each is tried.
    private static func share(
        _ plans: [RestorePlan], _ root: HostRoot, _ objects: ObjectReader,
        _ needs: inout [dev_t: Need]
    ) throws {
        var probes: [dev_t: CloneProbe?] = [:]
        for plan in plans {
            var devices: [dev_t] = []
            for room in plan.rooms {
                devices.append(try place(of: room.root, root).status().st_dev)
            }
            try plan.changes.forEach { entry, action in
                guard action != .repair, entry.size >= SnapshotLimits.cloneBytesMin,
                    let index = plan.rooms.firstIndex(where: { $0.holds(entry.path) }),
                    var need = needs[devices[index]]
                else { return }
                let probe = probes[devices[index]] ?? CloneProbe(in: need.place)
                probes[devices[index]] = probe
                guard let probe, let clone = objects.clone(of: entry.chunks),
                    probe.accepts(clone.file)
                else { return }
                need.bytes -= min(need.bytes, saving(entry, clone.chunks))
                needs[devices[index]] = need
            }
        }
    }

    /// Bytes of `entry` that a clone with `shared` of its chunks saves. All other chunks are written
    /// over it, zeros too: nobody knows what stands in their places.
    private static func saving(_ entry: Entry, _ shared: Int) -> UInt64 {
        let isWhole = shared == entry.chunks.count { $0 != .zeros }
        let copied =
            isWhole ? 0 : UInt64((entry.chunks.count - shared) * SnapshotLimits.chunkBytes)
        let taken = copied.saturating(CloneProbe.metadataBytes(of: entry.storedBytes))
        return entry.storedBytes - min(entry.storedBytes, taken)
    }

    private mutating func check(_ need: Need) throws {
        let names = need.names.sorted().map(\.rawValue).joined(separator: ", ")
        let room = try need.room()
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
