import CLinux
import FleetWire
import Glibc

/// One capture: its threads' packs, the catalogues of its components and what the index learns.
final class PointCapture {
    private let store: PointStore
    private let components: [ComponentSpec]
    private let index: UnchangedIndex
    private let writers: [PackWriter]
    /// Nil with encryption: clones stand in the clear.
    private let clones: CloneKeeper?
    private let reader: ComponentReader
    private let space: SpaceGate
    private let progress: ProgressMeter
    private let stop: StopHook
    private var notes: [IndexNotes] = []
    /// How objects and the manifest are stored.
    let codec: ObjectCodec
    /// Keeps a prune away from objects that this point will need.
    private let lock: Descriptor?

    init(
        _ store: PointStore, _ components: [ComponentSpec], for id: PointID, rereads: Bool,
        progress: ProgressMeter, stop: StopHook
    ) throws {
        self.store = store
        self.components = components
        self.progress = progress
        self.stop = stop
        codec = try store.keys.writing()
        lock = try StoreLock.objectsInUse(store.files)
        index = UnchangedIndex(store.files, codec, isAsked: !rereads)
        let space = SpaceGate { try store.checkSpace(components, stop) }
        self.space = space
        let known = KnownObjects(
            store.files, codec, likely: try Self.lastCatalogues(store, components))
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let threads =
            store.files.calls.isInterposed ? 1 : max(1, min(cores, SnapshotLimits.threadsMax))
        let clones = codec.key == nil ? CloneKeeper(store.files) { try space.pass() } : nil
        self.clones = clones
        writers = (0..<threads).map {
            PackWriter(store.files, known: known, clones: clones, number: $0, stop: stop) {
                try space.pass()
            }
        }
        var reader = try store.reader(writers[0], index)
        reader.point = id
        reader.stop = stop
        reader.otherSinks = Array(writers.dropFirst())
        self.reader = reader
    }

    /// The objects of the newest catalogue of each component: where little has changed since, few
    /// others are asked for.
    private static func lastCatalogues(
        _ store: PointStore, _ components: [ComponentSpec]
    ) throws -> [ObjectID] {
        var missing = Set(components.map(\.name))
        var found: [ObjectID] = []
        for id in try store.ids().suffix(8).reversed() where !missing.isEmpty {
            guard let (manifest, _) = try? store.manifest(id) else { continue }
            for part in manifest.components where missing.remove(part.spec.name) != nil {
                found += part.catalogue.map { ObjectID($0) }
            }
        }
        return found
    }

    /// Captures all components; their objects are durable on return.
    func run() throws -> [Manifest.Component] {
        let captured = try components.map { try capture($0) }
        for writer in writers {
            try stop.check()
            try writer.finish()
        }
        // Without a new pack too: a capture that was killed may have named one that serves this one.
        try store.files.sync("packs")
        try store.files.sync("")
        try stop.check()
        return captured
    }

    /// Removes what a capture that failed has stored.
    func discard() {
        let areGone = writers.map { $0.discard() }
        // While a pack names a clone, also after a power cut, a capture would believe in it.
        if !areGone.contains(false), (try? store.files.sync("packs")) != nil { clones?.discard() }
        for part in notes { part.discard() }
    }

    /// Reads the catalogues of the point back, then lets the index know what was captured.
    func verify(_ manifest: Manifest) throws {
        // The state was digested from the very bytes that the objects are named by.
        let catalogues = manifest.components.flatMap(\.catalogue).map { ObjectID($0) }
        let objects = try ObjectReader(store.files, codec: codec, wanted: catalogues)
        for component in manifest.components {
            for object in component.catalogue { _ = try objects.read(ObjectID(object)) }
            progress.end(
                PointProgress(
                    phase: .verifying, component: component.spec.name, entries: component.entries,
                    bytes: component.bytes))
        }
        let packs = try store.files.names(in: "packs").compactMap { name in
            name.hasSuffix(".pack") ? Digest(String(name.dropLast(5))).map { ObjectID($0) } : nil
        }
        for part in notes { try part.finish(packs: packs) }
        try index.forgetOldest()
    }

    private func capture(_ spec: ComponentSpec) throws -> Manifest.Component {
        // What is not a tree may copy to `tmp` before it stores.
        let walk = try reader.walk(of: spec)
        if walk == nil || reader.host.driver(of: spec) != nil { try space.pass() }
        let cursor = walk.flatMap { index.cursor($0.key) }
        let part = walk.map { IndexNotes(index, $0.key, cursor) }
        if let part { notes.append(part) }
        let stream = CatalogueStream(
            sink: writers[0], notes: part, ownPaths: Set(walk?.paths ?? []))
        stream.onBatch = { [progress] stream in
            progress.note(Self.progress(.capturing, spec, stream))
        }
        try reader.read(spec, into: stream, cursor)
        let (objects, state) = try stream.finish()
        if stream.held == 0, spec.allowEmpty != true { try store.checkMayBeEmpty(spec) }
        progress.end(Self.progress(.capturing, spec, stream))
        var notes = stream.remarks
        if case .config(let paths, _) = spec.driver {
            notes += try ConfigInspection(root: reader.root).warnings(paths)
        }
        return Manifest.Component(
            spec: spec, entries: stream.entries, held: stream.held,
            bytes: ByteCount(stream.bytes), state: state.digest,
            catalogue: objects.map(\.digest), notes: notes.isEmpty ? nil : notes)
    }

    private static func progress(
        _ phase: PointProgress.Phase, _ spec: ComponentSpec, _ stream: CatalogueStream
    ) -> PointProgress {
        PointProgress(
            phase: phase, component: spec.name, entries: stream.entries,
            bytes: ByteCount(stream.bytes &+ stream.ahead.bytes))
    }
}

/// Lets a capture pass if there is space for all of it: asked before the first byte is written, so
/// that a capture that does not fit has touched nothing.
// Proof: every use of what can change is under the monitor.
final class SpaceGate: @unchecked Sendable {
    private let monitor = Monitor()
    private let check: @Sendable () throws -> Void
    private var hasPassed = false

    init(_ check: @escaping @Sendable () throws -> Void) { self.check = check }

    func pass() throws {
        try monitor.look {
            if hasPassed { return }
            try check()
            hasPassed = true
        }
    }
}

/// Counts what a capture must store at most.
final class SpaceCounter: WalkSink {
    private(set) var bytes: UInt64 = 0
    /// Nil if everything is counted as if it were copied.
    private let clones: CloneProbe?

    init(_ clones: CloneProbe?) { self.clones = clones }

    func add(known entry: UnsafeRawBufferPointer, _ ordinal: Int, _ status: FileStatus) {
        bytes += 256 + UInt64(EntryView(entry).path.count)
    }

    func add(_ entry: Entry, _ status: FileStatus?) { bytes += 256 + UInt64(entry.path.count) }

    func add(
        file status: FileStatus, nameCount: Int, in folder: Descriptor, path: [UInt8]
    ) {
        let content = min(status.size, status.blocks &* 512)
        let isShared =
            status.size >= SnapshotLimits.cloneBytesMin && canClone(folder, path, nameCount)
        bytes += 256 + UInt64(path.count) + content
        if isShared { bytes -= content - min(content, CloneProbe.metadataBytes(of: content)) }
    }

    private func canClone(_ folder: Descriptor, _ path: [UInt8], _ nameCount: Int) -> Bool {
        guard let clones,
            let file = folder.open(
                Array(path.suffix(nameCount)), O_RDONLY | O_NONBLOCK | O_NOCTTY),
            let found = try? file.status(), found.st_mode & S_IFMT == S_IFREG
        else { return false }
        return clones.accepts(file)
    }
}

/// Stores nothing; knows what the store holds.
final class CountingSink: ObjectSink {
    private let known: KnownObjects
    init(_ known: KnownObjects) { self.known = known }
    func put(_ bytes: UnsafeRawBufferPointer) -> ObjectID { ObjectID(hashing: bytes) }
    func holds(_ id: ObjectID) throws -> Bool { try known.holds(id) }
}
