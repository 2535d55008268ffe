import Glibc

/// Which objects a file's content is, known from its identity and times, so that an unchanged file
/// is not read again. It can always be rebuilt: when it is damaged it is thrown away.
final class UnchangedIndex {
    struct Key: Hashable {
        var device: UInt64
        var inode: UInt64
        var size: UInt64
        var modified: Int64
        var changed: Int64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = UInt64(status.st_size)
            modified = nanoseconds(status.st_mtim)
            changed = nanoseconds(status.st_ctim)
        }

        fileprivate init(_ reader: inout ByteReader) throws {
            device = try reader.number(UInt64.self)
            inode = try reader.number(UInt64.self)
            size = try reader.number(UInt64.self)
            modified = try reader.number(Int64.self)
            changed = try reader.number(Int64.self)
        }

        fileprivate func append(to bytes: inout [UInt8]) {
            bytes.append(number: device)
            bytes.append(number: inode)
            bytes.append(number: size)
            bytes.append(number: modified)
            bytes.append(number: changed)
        }
    }

    private static let magic = Array("BELAYUN2".utf8)
    /// Captures that an entry outlives without being asked for: its file is gone or has changed.
    /// Fewer, and a component that is captured only now and then is read again each time.
    private static let ageMax: UInt8 = 8
    private var old: [Key: (age: UInt8, chunks: [ObjectID])] = [:]
    private var seen: [Key: [ObjectID]] = [:]
    private let files: StoreFiles
    private let codec: ObjectCodec
    /// False: it knows nothing, but notes what is read.
    var isAsked = true

    /// `codec` is that of new points: with a key the file is sealed.
    init(_ files: StoreFiles, _ codec: ObjectCodec) {
        self.files = files
        self.codec = codec
        guard let stored = try? files.contents(of: "unchanged.index", atMost: 1 << 30),
            let bytes = try? codec.reveal(stored, as: "unchanged.index"), bytes.count >= 40,
            bytes.starts(with: Self.magic),
            ObjectID(hashing: Array(bytes.dropLast(32))).bytes == Array(bytes.suffix(32))
        else { return }
        var reader = ByteReader(bytes[8..<bytes.count - 32])
        while !reader.isAtEnd {
            guard let key = try? Key(&reader), let age = try? reader.number(UInt8.self),
                let count = try? reader.number(UInt32.self),
                let ids = try? (0..<count).map({ _ in try reader.objectID() })
            else {
                old = [:]
                return
            }
            old[key] = (age, ids)
        }
    }

    func chunks(of status: stat) -> [ObjectID]? {
        guard isAsked else { return nil }
        let key = Key(status)
        if let known = old[key], seen[key] == nil { seen[key] = known.chunks }
        return seen[key]
    }

    func note(_ status: stat, _ chunks: [ObjectID], now: Int64) {
        let key = Key(status)
        let latest = max(key.changed, key.modified)
        if latest < now - SnapshotLimits.settledNanoseconds { seen[key] = chunks }
    }

    /// Keeps what was noted or asked for since it was opened, and of all else what was asked for in
    /// one of the last captures.
    func save() throws {
        var kept: [Key: (age: UInt8, chunks: [ObjectID])] = [:]
        for (key, known) in old where known.age < Self.ageMax {
            kept[key] = (known.age + 1, known.chunks)
        }
        for (key, chunks) in seen { kept[key] = (0, chunks) }
        var bytes = Self.magic
        for (key, (age, chunks)) in kept {
            key.append(to: &bytes)
            bytes.append(number: age)
            bytes.append(number: UInt32(chunks.count))
            for chunk in chunks { bytes += chunk.bytes }
        }
        bytes += ObjectID(hashing: bytes).bytes
        try files.replace(
            "", "unchanged.index", try codec.protect(bytes, as: "unchanged.index"))
    }
}

func nanoseconds(_ time: timespec) -> Int64 {
    let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? (time.tv_sec < 0 ? .min : .max) : seconds &+ Int64(time.tv_nsec)
}

/// The present time of the clock that file times come from.
func wallClockNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return nanoseconds(now)
}
