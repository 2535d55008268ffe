import Glibc
import FleetWire

/// All packs of a store, every record and header of them read: which are damaged, and which objects
/// are whole.
struct PackInspection {
    let codecs: RecordCodecs
    private let files: StoreFiles
    /// Names of objects of which a whole record was found.
    private(set) var whole: Set<ObjectID> = []
    /// Packs with a damaged record, header or table.
    private(set) var damaged: [String] = []
    /// Packs that cannot be judged, one sentence each; they are left alone.
    private(set) var obstacles: [String] = []
    /// Names of the whole objects of each damaged pack.
    private var readable: [String: Set<ObjectID>] = [:]

    init(
        _ files: StoreFiles, _ codecs: RecordCodecs,
        _ progress: @escaping (PointProgress) -> Void
    ) throws {
        self.files = files
        self.codecs = codecs
        let meter = ProgressMeter(progress)
        meter.begin(.scrubbing)
        for name in try ObjectReader.names(files) {
            do {
                try look(at: name, meter)
            } catch let error as PointError {
                obstacles.append("pack \(name) is left alone: \(error)")
            }
        }
        meter.end()
    }

    private mutating func look(at name: String, _ meter: ProgressMeter) throws {
        var found: Set<ObjectID> = []
        var headers = PackHeaders(key: codecs.keyed.key)
        var unopened: PointError?
        var isOurs = false
        let file = try files.open("packs/" + name, O_RDONLY | O_NOFOLLOW)
        let path = files.path(of: "packs/" + name)
        let (records, hasTable) = try records(of: file, name)
        for record in records {
            meter.add(bytes: UInt64(record.bytesInPack))
            do {
                guard try isWhole(record, file, name) else { continue }
            } catch let error as PointError where error.isWrongKey {
                unopened = error
                continue
            }
            found.insert(record.id)
            if record.codec.isSealed { isOurs = true }
            if hasTable { try headers.look(at: record, of: file, path) }
        }
        if let unopened, !isOurs { throw unopened }
        whole.formUnion(found)
        guard found.count < records.count || headers.damage != nil || !hasTable else { return }
        damaged.append(name)
        readable[name] = found
    }

    /// The pack's records, and whether they are those of its table. What the disk fails to read is
    /// asked for again: a record whose header is damaged too would not come back without the table.
    private func records(of file: Descriptor, _ name: String) throws -> ([PackRecord], Bool) {
        let path = files.path(of: "packs/" + name)
        for _ in 0..<SnapshotLimits.readAttempts {
            do {
                return (try PackFormat.records(of: file, path: path), true)
            } catch let error as PointError where error.isDamage {
                if error.code != EIO { break }
            }
        }
        return (try PackFormat.salvage(file, path: path), false)
    }

    /// Throws if it cannot be opened with the key at hand. What the disk fails to read is asked for
    /// again: a pack that is given up does not come back.
    private func isWhole(
        _ record: PackRecord, _ file: Descriptor, _ name: String
    ) throws -> Bool {
        for _ in 0..<SnapshotLimits.readAttempts {
            do {
                _ = try codecs.read(record, of: file, files, name)
                return true
            } catch let error as PointError where error.isDamage {
                if error.code != EIO { return false }
            }
        }
        return false
    }

    /// The same of a pack that is known to be of the key at hand, or plain.
    private func isOpened(
        _ record: PackRecord, _ file: Descriptor, _ name: String
    ) throws -> Bool {
        do {
            return try isWhole(record, file, name)
        } catch let error as PointError where error.isWrongKey {
            return false
        }
    }

    /// Copies the whole records of all damaged packs, each once. A pack of which something can be
    /// read no more that could be just now is no longer among the damaged: it must not go.
    mutating func copyWhole(to assembler: PackAssembler) throws {
        var copied: Set<ObjectID> = []
        var refused: [(pack: String, object: ObjectID)] = []
        for name in damaged {
            let file = try files.open("packs/" + name, O_RDONLY | O_NOFOLLOW)
            let path = Array(files.path(of: "packs/" + name).utf8)
            for record in try records(of: file, name).0 where !copied.contains(record.id) {
                guard try isOpened(record, file, name) else {
                    if readable[name]?.contains(record.id) == true {
                        refused.append((name, record.id))
                    }
                    continue
                }
                copied.insert(record.id)
                try assembler.add(
                    record,
                    try PackFormat.part(
                        file, Int(clamping: record.offset), Int(record.stored), path))
            }
        }
        for (name, object) in refused where !copied.contains(object) {
            damaged.removeAll { $0 == name }
            obstacles.append(
                "pack \(name) is left alone: object \(object.digest) in it cannot be read any more")
        }
    }
}

/// Looks for objects that points need and no pack holds whole.
final class ObjectSearch {
    private let root: HostRoot
    private let inspection: PackInspection
    private let assembler: PackAssembler
    private var brought: Set<ObjectID> = []
    /// Names in packs of what is needed and was not found.
    private(set) var missing: Set<ObjectID> = []
    /// One sentence for each object of each point that is lost.
    private(set) var lost: [String] = []

    /// Names in packs of what was found in live files.
    var found: [Digest] { brought.map(\.digest) }

    init(root: HostRoot, inspection: PackInspection, assembler: PackAssembler) {
        self.root = root
        self.inspection = inspection
        self.assembler = assembler
    }

    /// Goes through all that a point needs. `objects` reads its catalogues.
    func run(_ manifest: Manifest, _ objects: ObjectReader) throws {
        for component in manifest.components {
            let subject = "point \(manifest.id), component \(component.spec.name)"
            do {
                try CatalogueReader(component, objects).forEach { entry in
                    try look(entry, objects.codec, subject)
                }
            } catch let error as PointError where error.isDamage {
                for id in component.catalogue {
                    let name = objects.codec.name(of: ObjectID(id))
                    if !inspection.whole.contains(name) { missing.insert(name) }
                }
                lost.append("\(subject): \(error)")
            }
        }
    }

    private func look(_ entry: Entry, _ codec: ObjectCodec, _ subject: String) throws {
        for (index, chunk) in entry.chunks.enumerated() where chunk != .zeros {
            let name = codec.name(of: chunk)
            guard !inspection.whole.contains(name), !brought.contains(name) else { continue }
            if let bytes = liveBytes(entry, index), ObjectID(hashing: bytes) == chunk {
                try store(chunk, bytes, codec)
                brought.insert(name)
                missing.remove(name)
            } else {
                missing.insert(name)
                lost.append("\(subject): \(printable(entry.path)), object \(name.digest)")
            }
        }
    }

    /// The bytes where the chunk stood at the capture; nil if nothing can be read there.
    private func liveBytes(_ entry: Entry, _ index: Int) -> [UInt8]? {
        let (offset, isOver) = index.multipliedReportingOverflow(by: SnapshotLimits.chunkBytes)
        guard entry.kind == .regular, !isOver, UInt64(offset) < entry.size,
            let place = try? root.parent(of: entry.path),
            let file = place.directory.open(place.name, O_RDONLY | O_NONBLOCK | O_NOCTTY),
            let status = try? file.status(), status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        let count = Int(min(UInt64(SnapshotLimits.chunkBytes), entry.size - UInt64(offset)))
        return try? PackFormat.part(file, offset, count, entry.path)
    }

    private func store(_ id: ObjectID, _ bytes: [UInt8], _ codec: ObjectCodec) throws {
        var buffer: [UInt8] = []
        let record = try bytes.withUnsafeBytes {
            try codec.append(id, codec: .raw, raw: bytes.count, $0, to: &buffer, at: 0)
        }
        try assembler.add(record, Array(buffer[PackFormat.headerBytes...]))
    }
}
