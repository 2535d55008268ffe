import CLinux
package import FleetWire
import Glibc

extension PointStore {
    /// Captures `components`; the point is verified and durable on return.
    ///
    /// `name` is an operator's name for it, unique within the store. `rereads` reads every file even
    /// if the index knows it. `progress` is called at a bounded rate, on the caller's thread.
    /// `isStopped` is asked on any thread, for each entry and each block, and while a driver's program
    /// runs: once it is true the program's group is ended and the capture fails.
    /// Throws `PointError`, with nothing of the point left, if an id or name is taken, a driver is
    /// unknown, something cannot be read steadily, or space lacks.
    package func create(
        id: PointID, at: Timestamp, name: String? = nil, reason: String, rollout: RolloutID?,
        components: [ComponentSpec], rereads: Bool = false,
        isStopped: @escaping @Sendable () -> Bool = { false },
        progress: @escaping (PointProgress) -> Void = { _ in }
    ) throws -> PointSummary {
        try locked("create.lock") {
            let stop = StopHook(isStopped: isStopped)
            try stop.check()
            guard try !files.isThere("points/\(id).json") else {
                throw PointError("create", "rollback point \(id)", "it exists", "take another id")
            }
            try check(components, stop)
            if let name { try checkName(name) }
            try clearScratch()
            let capture = try PointCapture(
                self, components, for: id, rereads: rereads, progress: ProgressMeter(progress),
                stop: stop)
            do {
                let manifest = Manifest(
                    version: Manifest.version, id: id, at: at, name: name, reason: reason,
                    rollout: rollout, components: try capture.run())
                try files.replace("points", "\(id).json", try manifest.encoded(capture.codec))
            } catch {
                if takesBack(id) {
                    capture.discard()
                    // What drivers keep outside the store must not outlive a capture that failed.
                    abandon(id, components)
                }
                throw error
            }
            let (read, digest) = try self.manifest(id)
            try capture.verify(read)
            return read.summary(digest)
        }
    }

    /// True if no manifest of `id` can be seen any more, even after a power cut: until then what it
    /// needs must stay, since it may have its name though its folder could not be synced.
    private func takesBack(_ id: PointID) -> Bool {
        let name = "points/\(id).json"
        do {
            guard try files.isThere(name) else { return true }
            try files.delete(name)
            try files.sync("points")
            return true
        } catch {
            return false
        }
    }

    /// The space that a capture of `components` can take at most: what the index does not know,
    /// as if nothing of it could be compressed.
    package func spaceNeeded(_ components: [ComponentSpec]) throws -> ByteCount {
        try spaceNeeded(components, StopHook())
    }

    /// With `sharing`, what can be cloned into the store counts as clones: each is tried.
    private func spaceNeeded(
        _ components: [ComponentSpec], _ stop: StopHook, sharing: Bool = false
    ) throws -> ByteCount {
        let codec = try keys.writing()
        let clones =
            sharing && codec.key == nil
            ? CloneProbe(in: try files.open(ClonePlace.folder, O_RDONLY | O_DIRECTORY)) : nil
        let objects = KnownObjects(files, codec)
        var reader = try reader(CountingSink(objects), UnchangedIndex(files, codec))
        reader.stop = stop
        var total: UInt64 = 0
        for spec in components {
            if let walk = try reader.walk(of: spec) {
                let space = SpaceCounter(clones)
                try reader.walk(walk, reader.index?.cursor(walk.key), space)
                total += space.bytes
            }
            total += try reader.host.driver(of: spec)?.spaceNeeded() ?? 0
            guard case .sqlite(let path) = spec.driver else { continue }
            for part in [path, path + "-wal"] {
                let bytes = Array(part.utf8)
                guard let (parent, name) = try reader.root.parent(of: bytes),
                    let found = try withPath(name, { try parent.look($0, bytes) })
                else { continue }
                // A backup's copy stands beside until it is stored.
                total = total.saturating(found.size).saturating(found.size).saturating(256)
            }
        }
        return ByteCount(total)
    }

    private func checkName(_ name: String) throws {
        for id in try ids() {
            guard let (manifest, _) = try? manifest(id), manifest.name == name else { continue }
            throw PointError(
                "create", "rollback point \(name)", "\(id) has this name", "take another name")
        }
    }

    private func check(_ components: [ComponentSpec], _ stop: StopHook) throws {
        var names: Set<ComponentName> = []
        let host = try driverHost(stop)
        let place = try StorePlace(files, host.root)
        for spec in components {
            guard names.insert(spec.name).inserted else {
                throw PointError(
                    "capture", "component \(spec.name)", "two have this name", "rename one")
            }
            if case .unknown(let name) = spec.driver {
                throw PointError(
                    "capture", "component \(spec.name)", "its driver \(name) is unknown",
                    "use a driver that this belay-agent knows, or update it")
            }
            try check(spec, host, place)
        }
    }

    private func check(
        _ spec: ComponentSpec, _ host: DriverHost, _ place: StorePlace
    ) throws {
        try place.refuse(spec)
        switch spec.driver {
        case .config(let paths, strict: true):
            try ConfigInspection(root: host.root).refuse(paths, spec.name)
        case .flags(let path): try FlagFile.check(path, below: host.root)
        case .files, .config, .sqlite, .btrfs, .service, .package, .postgres, .command, .unknown:
            break
        }
        try host.driver(of: spec)?.check()
    }

    /// Why a capture of `components` might not fit; nil if it surely does.
    package func spaceProblem(_ components: [ComponentSpec]) throws -> PointError? {
        try spaceProblem(components, StopHook())
    }

    /// Throws `PointError` unless a capture of `components` surely fits.
    func checkSpace(_ components: [ComponentSpec], _ stop: StopHook) throws {
        if let problem = try spaceProblem(components, stop) { throw problem }
    }

    private func spaceProblem(
        _ components: [ComponentSpec], _ stop: StopHook
    ) throws -> PointError? {
        let free = try files.freeBytes()
        // Counting is a walk of its own; mostly all that could be captured is less than is free.
        if let bound = try spaceBound(components), free >= bound + SnapshotLimits.spareBytes {
            return nil
        }
        var needed = try spaceNeeded(components, stop).count + SnapshotLimits.spareBytes
        guard free < needed else { return nil }
        needed =
            try spaceNeeded(components, stop, sharing: true).count + SnapshotLimits.spareBytes
        guard free < needed else { return nil }
        return PointError(
            "capture into", directory,
            "the rollback point can take \(needed) bytes, \(free) are free",
            "free \(needed - free) bytes there or keep the agent's state on a larger file system")
    }

    /// What is used on the file systems of trees, more than which a capture cannot take; nil if
    /// that cannot be said so simply.
    private func spaceBound(_ components: [ComponentSpec]) throws -> UInt64? {
        let reader = try reader(HashingSink(), nil)
        var bounds: [UInt64: UInt64] = [:]
        for spec in components {
            guard reader.host.driver(of: spec) == nil, let walk = try reader.walk(of: spec),
                !walk.crossesMounts
            else { return nil }
            for path in walk.paths {
                guard let (parent, name) = try reader.root.parent(of: path) else { continue }
                let place = parent.open(name, O_RDONLY | O_DIRECTORY) ?? parent
                var room = statvfs()
                guard withExtendedLifetime(place, { place.calls.fstatvfs(place.raw, &room) }) == 0
                else { return nil }
                // Where inodes are not counted, files may be compressed and entries cost blocks.
                guard room.f_files > 0 else { return nil }
                let used = UInt64(room.f_blocks - room.f_bfree) * UInt64(room.f_frsize)
                let entries = UInt64(room.f_files - room.f_ffree)
                // The average path of an entry of a catalogue is far shorter than this.
                bounds[try place.look(path).device] = used + entries * 1024
            }
        }
        return bounds.values.reduce(0, +)
    }

    /// Removes what processes that are gone left behind.
    func clearScratch() throws {
        for folder in ["", "packs", "clones", "points", "tmp"] {
            for text in try files.names(in: folder) {
                let isScratch = folder == "tmp" || text.hasPrefix(".")
                let process = text.split { $0 == "." || $0 == "-" }.compactMap { pid_t($0) }.last
                guard isScratch, let process, kill(process, 0) != 0, errno == ESRCH else {
                    continue
                }
                files.remove(folder.isEmpty ? text : folder + "/" + text)
            }
        }
    }
}
