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
    /// Entries given so far.
    private(set) var count = 0

    init(_ component: Manifest.Component, _ objects: ObjectReader) {
        self.component = component
        self.objects = objects
    }

    /// The next entry; nil after the last. Throws `PointError` if an object is missing or damaged,
    /// an entry is ill-formed, or, after the last, the state is not that of the manifest.
    func next() throws -> Entry? {
        guard !isDone else { return nil }
        guard try reach(4) else {
            guard position == bytes.count else { throw damage("it ends within an entry") }
            return try finish()
        }
        let length = bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= SnapshotLimits.entryBytesMax, try reach(4 + length) else {
            throw damage("an entry is longer than all that follows")
        }
        let start = position + 4
        position = start + length
        let entry = try Entry(decoding: bytes[start..<position])
        count += 1
        if entry.kind != .socket {
            // Kind and flags stand first; flags do not count in the state.
            bytes[start + 1] = 0
            bytes.withUnsafeBytes {
                state.update(UnsafeRawBufferPointer(rebasing: $0[(start - 4)..<position]))
            }
        }
        return entry
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

    private func finish() throws -> Entry? {
        isDone = true
        bytes = []
        guard count == component.entries, state.finish() == component.state else {
            throw damage("its state does not match the manifest")
        }
        return nil
    }

    private func damage(_ why: String) -> PointError {
        PointError.damaged("the catalogue of \(component.spec.name)", why)
    }
}
