/// A set of objects at 40 to 48 bytes each, which grows without copying them: a first capture claims
/// as many as there are files.
struct ClaimedObjects {
    /// An id's number plus 1 below, bits of the id above; 0 is empty. Its count is a power of two.
    private var slots = [UInt64](repeating: 0, count: 1024)
    private var parts: [[ObjectID]] = []
    private var count = 0
    private static let partCount = 65_536

    /// True if it was not there yet.
    mutating func insert(_ id: ObjectID) -> Bool {
        if contains(id) { return false }
        if count * 10 >= slots.count * 8 { grow() }
        put(id.fingerprint & ~0xFFFF_FFFF | UInt64(UInt32(count + 1)))
        if count % Self.partCount == 0 {
            parts.append([])
            parts[parts.count - 1].reserveCapacity(Self.partCount)
        }
        parts[parts.count - 1].append(id)
        count += 1
        return true
    }

    func contains(_ id: ObjectID) -> Bool {
        let tag = id.fingerprint >> 32
        var position = place(id.fingerprint)
        while slots[position] != 0 {
            if slots[position] >> 32 == tag {
                let number = Int(slots[position] & 0xFFFF_FFFF) - 1
                if parts[number / Self.partCount][number % Self.partCount] == id { return true }
            }
            position = (position + 1) & (slots.count - 1)
        }
        return false
    }

    private func place(_ fingerprint: UInt64) -> Int {
        // Only the upper half is kept, so only that can say where it stands when the slots grow.
        Int((fingerprint >> 32) &* 0x9E37_79B9 >> 8) & (slots.count - 1)
    }

    private mutating func put(_ slot: UInt64) {
        var position = place(slot)
        while slots[position] != 0 { position = (position + 1) & (slots.count - 1) }
        slots[position] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: old.count * 2)
        for slot in old where slot != 0 { put(slot) }
    }
}

/// Objects that the store holds or that this capture has begun to store, for all its threads.
// Proof: every use of what can change is under the monitor.
final class KnownObjects: @unchecked Sendable {
    private let monitor = Monitor()
    private let files: StoreFiles
    /// How objects are named and stored.
    let codec: ObjectCodec
    private var reader: ObjectReader?
    /// Objects that will likely be asked for, and what the store holds of them: if no other is, the
    /// tables of the whole store are not kept in memory.
    private let likely: Set<ObjectID>
    private var few: ObjectReader?
    private var claimed = ClaimedObjects()

    init(_ files: StoreFiles, _ codec: ObjectCodec, likely: [ObjectID] = []) {
        self.files = files
        self.likely = Set(likely)
        self.codec = codec
    }

    /// True if the caller must store `id`: it is not there and nobody else stores it.
    func claim(_ id: ObjectID) throws -> Bool {
        try monitor.look { try !isStored(id) && claimed.insert(id) }
    }

    func holds(_ id: ObjectID) throws -> Bool {
        try monitor.look { try isStored(id) || claimed.contains(id) }
    }

    private func isStored(_ id: ObjectID) throws -> Bool {
        if likely.contains(id) {
            let reader = try few ?? ObjectReader(files, codec: codec, wanted: Array(likely))
            few = reader
            if reader.holds(id) { return true }
        }
        return try load().holds(id)
    }

    /// The tables of a store are read when they are first needed.
    private func load() throws -> ObjectReader {
        if let reader { return reader }
        let made = try ObjectReader(files, codec: codec)
        reader = made
        return made
    }
}
