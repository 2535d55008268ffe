import FleetWire

/// Makes a component's catalogue of entries as they come: cuts it into objects, digests its state,
/// and notes in the index what the next capture need not read. Of one thread.
final class CatalogueStream {
    private let sink: any ObjectSink
    private let hasher = ObjectHasher()
    private let chunk = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SnapshotLimits.chunkBytes, alignment: 16)
    private var filled = 0
    private var objects: [ObjectID] = []
    private let notes: IndexNotes?
    private let ownPaths: Set<[UInt8]>
    /// Bytes that were read of entries that are not added yet.
    let ahead = ByteTally()
    /// Called after each batch, and now and then while the next one is read.
    var onBatch: (CatalogueStream) -> Void = { _ in }
    private(set) var entries = 0
    private(set) var bytes: UInt64 = 0
    /// Entries that are neither absent nor a directory that the component names itself.
    private(set) var held = 0
    private var immutable = FlaggedEntries("immutable")
    private var appendOnly = FlaggedEntries("append-only")

    /// `notes` is nil for entries that are not indexed; `ownPaths` are those that the component
    /// names itself.
    init(sink: any ObjectSink, notes: IndexNotes?, ownPaths: Set<[UInt8]>) {
        self.sink = sink
        self.notes = notes
        self.ownPaths = ownPaths
        hasher.begin()
    }

    deinit { chunk.deallocate() }

    /// Adds a batch that is read; its flags are 0 afterwards.
    func add(_ batch: EntryBatch) throws {
        try notes?.add(batch)
        var sockets: [EntryBatch.Row] = []
        batch.forEach { row, entry in
            let view = EntryView(entry)
            entries += 1
            bytes &+= view.size
            if view.kind == .socket { sockets.append(row) }
            if view.flags & Entry.immutable != 0 { immutable.add(view.path) }
            if view.flags & Entry.appendOnly != 0 { appendOnly.add(view.path) }
            if view.kind != .absent { held += 1 }
            if view.kind == .directory, ownPaths.contains(Array(view.path)) { held -= 1 }
        }
        try batch.bytes.withUnsafeBytes { try cut($0) }
        batch.clearFlags()
        batch.bytes.withUnsafeBytes { all in
            var start = 0
            for socket in sockets {
                hasher.add(UnsafeRawBufferPointer(rebasing: all[start..<socket.start]))
                start = socket.start + socket.count
            }
            hasher.add(UnsafeRawBufferPointer(rebasing: all[start...]))
        }
        onBatch(self)
    }

    /// Adds an entry that is not of a tree.
    func add(_ entry: Entry) throws {
        entries += 1
        bytes &+= entry.size
        if entry.kind != .absent { held += 1 }
        var counted: [UInt8] = []
        counted.append(counted: entry.encoded())
        try counted.withUnsafeBytes { try cut($0) }
        guard let form = entry.stateForm else { return }
        counted.removeAll()
        counted.append(counted: form.encoded())
        counted.withUnsafeBytes { hasher.add($0) }
    }

    /// The catalogue's objects and the digest of its state.
    func finish() throws -> (objects: [ObjectID], state: ObjectID) {
        if filled > 0 { try put() }
        return (objects, hasher.end())
    }

    /// What an operator should know of the capture, one sentence each.
    var remarks: [String] { [immutable, appendOnly].compactMap(\.remark) }

    private func cut(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, chunk.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: chunk[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if filled == chunk.count { try put() }
        }
    }

    private func put() throws {
        objects.append(try sink.put(UnsafeRawBufferPointer(rebasing: chunk[..<filled])))
        filled = 0
    }
}

/// Entries with a flag that a restore cannot set aside: how many, and the first.
private struct FlaggedEntries {
    private let flag: String
    private var count = 0
    private var first: [UInt8] = []

    init(_ flag: String) { self.flag = flag }

    mutating func add(_ path: UnsafeRawBufferPointer) {
        if count == 0 { first = Array(path) }
        count += 1
    }

    var remark: String? {
        guard count > 0 else { return nil }
        return "\(count == 1 ? "1 entry is" : "\(count) entries are") \(flag), first "
            + "\(printable(first)): a restore that must change one fails until chattr takes it off"
    }
}

/// Keeps the index of a component in step with its catalogue: written anew only once something
/// differs from the index that there was.
final class IndexNotes {
    private let index: UnchangedIndex
    private let key: ObjectID
    private let cursor: IndexCursor?
    private var writer: IndexWriter?
    /// Records of the earlier index that were met in their order, while all of them are.
    private var matched = 0

    init(_ index: UnchangedIndex, _ key: ObjectID, _ cursor: IndexCursor?) {
        self.index = index
        self.key = key
        self.cursor = cursor
    }

    func add(_ batch: EntryBatch) throws {
        try batch.forEach { row, entry in
            if writer == nil {
                if let ordinal = row.ordinal, ordinal == matched, cursor?.isTrusted == true {
                    matched += 1
                    return
                }
                if !row.isSettled { return }
                try begin()
            }
            guard row.isSettled else { return }
            try writer?.add(
                device: row.device, inode: row.inode, changed: row.changed, entry)
        }
    }

    private func begin() throws {
        let made = try index.writer(key)
        if matched > 0, let earlier = index.cursor(key) {
            try earlier.copy(first: matched) { try made.add(record: $0) }
        }
        writer = made
    }

    /// Puts the new index in place, if there is one.
    func finish(packs: [ObjectID]) throws {
        if writer == nil {
            if matched == cursor?.count ?? 0 { return }
            try begin()
        }
        try writer?.finish(packs: packs)
    }

    func discard() { writer?.discard() }
}
