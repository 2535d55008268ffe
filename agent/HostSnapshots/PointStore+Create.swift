package import FleetWire
import Glibc

extension PointStore {
    /// Captures `components`; the point is verified and durable on return.
    ///
    /// `name` is an operator's name for it, unique within the store. `rereads` reads every file even
    /// if the index knows it. `progress` is called at a bounded rate, on the caller's thread.
    /// Throws `PointError`, with nothing of the point left, if an id or name is taken, a driver is
    /// unknown, something cannot be read steadily, or space lacks.
    package func create(
        id: PointID, at: Timestamp, name: String? = nil, reason: String, rollout: RolloutID?,
        components: [ComponentSpec], rereads: Bool = false,
        progress: (PointProgress) -> Void = { _ in }
    ) throws -> PointSummary {
        try locked("create.lock") {
            guard try !files.isThere("points/\(id).json") else {
                throw PointError("create", "rollback point \(id)", "it exists", "take another id")
            }
            try check(components)
            if let name { try checkName(name) }
            try clearScratch()
            try checkSpace(components)
            let codec = try keys.writing()
            let index = UnchangedIndex(files, codec)
            let writer = PackWriter(files, reader: try ObjectReader(files, codec: codec))
            var reader = try reader(writer, index)
            reader.point = id
            reader.index?.isAsked = !rereads
            let captured = try components.map { spec in
                let part = try capture(spec, reader, writer)
                progress(
                    PointProgress(
                        phase: .capturing, component: spec.name, entries: part.entries,
                        bytes: part.bytes))
                return part
            }
            try writer.finish()
            let manifest = Manifest(
                version: Manifest.version, id: id, at: at, name: name, reason: reason,
                rollout: rollout,
                components: captured)
            try files.replace("points", "\(id).json", try manifest.encoded(codec))
            let (read, digest) = try self.manifest(id)
            let objects = try ObjectReader(files, codec: codec)
            for component in read.components { _ = try catalogue(component, objects) }
            try index.save()
            return read.summary(digest)
        }
    }

    /// The space that a capture of `components` can take at most: what the index does not know,
    /// as if nothing of it could be compressed.
    package func spaceNeeded(_ components: [ComponentSpec]) throws -> ByteCount {
        let codec = try keys.writing()
        let objects = try ObjectReader(files, codec: codec)
        let index = UnchangedIndex(files, codec)
        let root = try HostRoot(self.root, files.calls)
        var total: UInt64 = 0
        for spec in components {
            var bytes: UInt64 = 0
            let paths: [String]
            var excludes: [String] = []
            switch spec.driver {
            case .files(let named, let exclude, _): (paths, excludes) = (named, exclude)
            case .config(let named, _): paths = named
            case .flags(let path): paths = [path]
            case .sqlite(let path): paths = [path, path + "-wal"]
            case .service, .package, .postgres, .btrfs, .command:
                let driver = try driverHost().driver(of: spec)
                paths = try driver?.paths() ?? []
                bytes = try driver?.spaceNeeded() ?? 0
            case .unknown: paths = []
            }
            let walker = TreeWalker(
                root: root, excludes: ExcludePatterns(excludes),
                content: { _, _, found, _ in
                    let known = index.chunks(of: found)?.allSatisfy { objects.holds($0) } ?? false
                    if !known { bytes += UInt64(max(0, min(found.st_size, found.st_blocks * 512))) }
                    return ([], found)
                }, push: { total += 256 + UInt64($0.path.count) })
            for path in paths { try walker.walk(path) }
            // A backup's copy stands beside until it is stored.
            if case .sqlite = spec.driver { bytes *= 2 }
            total += bytes
        }
        return ByteCount(total)
    }

    private func capture(
        _ spec: ComponentSpec, _ reader: ComponentReader, _ writer: PackWriter
    ) throws -> Manifest.Component {
        let entries = try reader.entries(of: spec)
        let bytes = Catalogue.encode(entries)
        var ids: [ObjectID] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + SnapshotLimits.chunkBytes)
            ids.append(
                try bytes.withUnsafeBytes {
                    try writer.put(UnsafeRawBufferPointer(rebasing: $0[start..<end]))
                })
            start = end
        }
        return Manifest.Component(
            spec: spec, entries: entries.count,
            bytes: ByteCount(entries.reduce(0) { $0 &+ $1.size }),
            state: Catalogue.state(of: entries).digest, catalogue: ids.map(\.digest))
    }

    private func checkName(_ name: String) throws {
        for text in try files.names(in: "points") {
            guard text.hasSuffix(".json"), let id = PointID(String(text.dropLast(5))),
                let (manifest, _) = try? manifest(id), manifest.name == name
            else { continue }
            throw PointError(
                "create", "rollback point \(name)", "\(id) has this name", "take another name")
        }
    }

    private func check(_ components: [ComponentSpec]) throws {
        var names: Set<ComponentName> = []
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
            if case .flags(let path) = spec.driver { try checkFlags(path) }
            try driverHost().driver(of: spec)?.check()
        }
    }

    /// A flag file must be a JSON object with an object `flags`.
    private func checkFlags(_ path: String) throws {
        struct Ignored: Decodable {
            init(from decoder: any Decoder) {}
        }
        struct FlagFile: Decodable { var flags: [String: Ignored] }
        let bytes = Array(path.utf8)
        guard let (parent, name) = try HostRoot(root, files.calls).parent(of: bytes),
            let found = try parent.status(of: name), found.st_mode & S_IFMT == S_IFREG
        else { return }
        guard let file = parent.open(name, O_RDONLY | O_NONBLOCK) else {
            throw PointError.system("open", bytes, errno)
        }
        let size = Int(found.st_size)
        guard size <= SnapshotLimits.flagsBytesMax,
            let text = try? PackFormat.part(file, 0, size, bytes),
            (try? WireJSON.decode(FlagFile.self, from: text)) != nil
        else {
            throw PointError(
                "capture", path, "it is no flagd file: a JSON object with an object flags",
                "correct it first")
        }
    }

    private func checkSpace(_ components: [ComponentSpec]) throws {
        let needed = try spaceNeeded(components).count + SnapshotLimits.spareBytes
        let free = try files.freeBytes()
        guard free >= needed else {
            throw PointError(
                "capture into", directory, "it may take \(needed) bytes and \(free) are free",
                "free space there or keep the agent's state on a larger file system")
        }
    }

    /// Removes what processes that are gone left behind.
    func clearScratch() throws {
        for folder in ["packs", "points", "tmp"] {
            for text in try files.names(in: folder) {
                let isScratch = folder == "tmp" || text.hasPrefix(".")
                let process = text.split { $0 == "." || $0 == "-" }.compactMap { pid_t($0) }.last
                guard isScratch, let process, kill(process, 0) != 0, errno == ESRCH else {
                    continue
                }
                files.removeAll(folder + "/" + text)
            }
        }
    }
}
