package import FleetWire
import Glibc

/// The rollback points of one host: captures of components in a content store, and their restore.
///
/// The format and the order of writes stand in docs/reference/rollback-point-format.md.
package struct PointStore: Sendable {
    /// The store's directory, 0700.
    package let directory: String
    /// Paths of components lie below this; `/` on a real host.
    package let root: String
    let services: any ServiceControlling
    let files: StoreFiles
    let keys: StoreKeys
    /// Called before each change that a restore makes; a test lets it fail.
    var beforeChange: RestoreHook?
    /// Stops restores, and says when they begin to change something.
    package var watch = RestoreWatch()

    /// Opens the store in `directory` and makes it if it is missing. Throws `PointError` if it
    /// cannot be made or is of another version.
    package init(
        directory: String, root: String, services: any ServiceControlling
    ) throws {
        try self.init(directory: directory, root: root, services: services, calls: .system)
    }

    init(
        directory: String, root: String, services: any ServiceControlling, calls: FileCalls
    ) throws {
        self.directory = directory
        self.root = root.isEmpty ? "/" : root
        self.services = services
        files = StoreFiles(directory, calls)
        keys = StoreKeys(files)
        for path in ["", "packs", "clones", "points", "tmp", "unchanged"].map(files.path(of:)) {
            guard calls.mkdirat(AT_FDCWD, path, 0o700) == 0 || errno == EEXIST else {
                throw PointError.system("create", Array(path.utf8), errno)
            }
        }
        let format = Array("belay-points 1\n".utf8)
        if let found = try files.contents(of: "format", atMost: 4096) {
            guard found == format else {
                throw PointError(
                    "open", directory, "its format is another version",
                    "use the version of belay-agent that made it")
            }
        } else {
            // Before the format, which tells that the directories' own names are durable.
            try files.syncOwnName()
            try files.replace("", "format", format)
        }
    }

    /// A digest over the present content and metadata of `components`.
    ///
    /// SHA-256 over one line `name driver digest` for each, where the digest is that of the
    /// component's catalogue without sockets. Times of access and change do not count. Of a SQLite
    /// database the pages of a backup count, not WAL and counters; of a service whether it runs.
    package func stateDigest(_ components: [ComponentSpec]) throws -> Digest {
        let reader = try reader(HashingSink(), index())
        let lines = try components.map { spec in
            let state = Catalogue.state(of: try reader.entries(of: spec)).digest
            return "\(spec.name) \(spec.driver.name) \(state)\n"
        }
        return ObjectID(hashing: Array(lines.joined().utf8)).digest
    }

    /// An id that sorts by time: `YYYYMMDDTHHMMSSmmmZ-` and 8 hexadecimal digits of `random`.
    package static func makeID(at: Timestamp, random: [UInt8]) -> PointID {
        let moment = UTCTime(seconds: at.milliseconds / 1000)
        let day = moment?.day ?? "00000000"
        let time =
            (moment?.time ?? "000000")
            + UTCTime.padded(Int(max(0, at.milliseconds % 1000)), 3)
        let tail = (0..<4).map { index in
            let byte = index < random.count ? random[index] : 0
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return PointID(unchecked: "\(day)T\(time)Z-\(tail.joined())")
    }

    // MARK: - What the extensions share

    var points: StoredPoints { StoredPoints(files: files, keys: keys) }

    func ids() throws -> [PointID] { try points.ids() }

    func manifest(_ id: PointID) throws -> (Manifest, Digest) { try points.manifest(id) }

    func objects(of manifest: Manifest) throws -> ObjectReader {
        try points.objects(of: manifest)
    }

    /// What is known of files. Without the settings or the key it knows nothing.
    func index() -> UnchangedIndex { UnchangedIndex(files, (try? keys.writing()) ?? .plain) }

    func reader(_ sink: any ObjectSink, _ index: UnchangedIndex?) throws -> ComponentReader {
        ComponentReader(
            root: try hostRoot(), store: files, services: services, sink: sink, index: index)
    }

    func hostRoot() throws -> HostRoot {
        try HostRoot(root, beside: BesideNames(store: directory), files.calls)
    }

    /// Holds the store's file `name` locked while `body` runs; other processes wait.
    func locked<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
        let file = try files.open(name, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        while files.calls.flock(file.raw, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw PointError.system("lock", Array(files.path(of: name).utf8), errno)
            }
        }
        return try withExtendedLifetime(file) { try body() }
    }
}
