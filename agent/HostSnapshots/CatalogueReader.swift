import FleetTransport
import FleetWire

/// The entries of one captured component, pulled one by one; at most two objects of its catalogue
/// are in memory. The state is held against the manifest when the last entry was given.
final class CatalogueReader {
    private let component: Manifest.Component
    private let objects: ObjectReader
    private let state = SHA256Hasher()
    private var bytes: [UInt8] = []
    private var position = 0
    private var nextObject = 0
    private var isDone = false
    /// Where the entry stands to which it stepped last.
    private var head = 0..<0
    /// Entries given so far.
    private(set) var count = 0

    init(_ component: Manifest.Component, _ objects: ObjectReader) {
        self.component = component
        self.objects = objects
    }

    /// The next entry; nil after the last. Throws `PointError` if an object is missing or damaged,
    /// an entry is ill-formed, or, after the last, the state is not that of the manifest.
    func next() throws -> Entry? {
        guard try step() else { return nil }
        return try Entry(decoding: bytes[head])
    }

    /// Steps to the next entry, false after the last; throws what `next` throws, but for an entry's
    /// form.
    func step() throws -> Bool {
        guard let place = try advance() else { return false }
        try note(place)
        head = place
        return true
    }

    /// Calls `body` with the encoded entry to which it stepped last, without its length.
    func withHead<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[head])) }
    }

    /// Holds what is left against the manifest without making entries of it.
    func check() throws {
        while try step() {}
    }

    /// Where the next entry stands in `bytes`, without its length.
    private func advance() throws -> Range<Int>? {
        guard !isDone else { return nil }
        guard try reach(4) else {
            guard position == bytes.count else { throw damage("it ends within an entry") }
            try finish()
            return nil
        }
        let length = bytes.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        }
        guard length >= EntryView.bytesMin, length <= SnapshotLimits.entryBytesMax,
            try reach(4 + length)
        else {
            throw damage("an entry is longer than all that follows, or too short")
        }
        let start = position + 4
        position = start + length
        count += 1
        return start..<position
    }

    /// Takes an entry into the state, as `Entry.stateForm` has it. Kind and flags stand first.
    private func note(_ place: Range<Int>) throws {
        let kind = Entry.Kind(rawValue: bytes[place.lowerBound])
        if kind == .socket { return }
        guard kind?.isOfTree == true else {
            let entry = try Entry(decoding: bytes[place])
            state.update(Catalogue.encode([entry].compactMap(\.stateForm)))
            return
        }
        let flags = bytes[place.lowerBound + EntryView.flagsOffset]
        defer { bytes[place.lowerBound + EntryView.flagsOffset] = flags }
        bytes[place.lowerBound + EntryView.flagsOffset] = 0
        bytes.withUnsafeBytes {
            state.update(
                UnsafeRawBufferPointer(rebasing: $0[(place.lowerBound - 4)..<place.upperBound]))
        }
    }

    /// Calls `body` with each entry that is left.
    func forEach(_ body: (Entry) throws -> Void) throws {
        while let entry = try next() { try body(entry) }
    }

    /// True once `wanted` bytes stand at `position`; reads objects as far as they are needed.
    private func reach(_ wanted: Int) throws -> Bool {
        while bytes.count - position < wanted {
            guard nextObject < component.catalogue.count else { return false }
            if position > 0 {
                bytes.removeFirst(position)
                position = 0
            }
            bytes += try objects.read(ObjectID(component.catalogue[nextObject]))
            nextObject += 1
        }
        return true
    }

    private func finish() throws {
        isDone = true
        bytes = []
        guard count == component.entries, state.finish() == component.state else {
            throw damage("its state does not match the manifest")
        }
    }

    private func damage(_ why: String) -> PointError {
        PointError.damaged("the catalogue of \(component.spec.name)", why)
    }
}
