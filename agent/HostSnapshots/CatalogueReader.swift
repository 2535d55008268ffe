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
        guard !isDone else { return false }
        guard try reach(4) else {
            guard position == bytes.count else { throw damage("it ends within an entry") }
            try finish()
            return false
        }
        let length = bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= SnapshotLimits.entryBytesMax, length >= EntryView.bytesMin,
            try reach(4 + length)
        else { throw damage("an entry is longer than all that follows, or too short") }
        let start = position + 4
        position = start + length
        head = start..<position
        count += 1
        let kind = Entry.Kind(rawValue: bytes[start])
        if let kind, !kind.isOfTree {
            // What a driver kept does not count in the state.
            let entry = try Entry(decoding: bytes[head])
            let form = Catalogue.encode([entry].compactMap(\.stateForm))
            form.withUnsafeBytes { state.update($0) }
        } else if kind != .socket {
            // Kind and flags stand first; flags do not count in the state.
            let flags = bytes[start + EntryView.flagsOffset]
            bytes[start + EntryView.flagsOffset] = 0
            bytes.withUnsafeBytes {
                state.update(UnsafeRawBufferPointer(rebasing: $0[(start - 4)..<position]))
            }
            bytes[start + EntryView.flagsOffset] = flags
        }
        return true
    }

    /// Calls `body` with the encoded entry to which it stepped last, without its length.
    func withHead<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[head])) }
    }

    /// Holds what is left against the manifest without making entries of it.
    func check() throws { while try step() {} }

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
