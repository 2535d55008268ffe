import FleetWire

/// Holds a pack's first bytes and the header before each record against what its table says, and the
/// identifier of the key in each sealed record against the key that opens it.
///
/// Only a reader whose table is lost, or one without the key, needs them, so damage there costs
/// nothing until a second fault makes it cost objects. It is the pack's and not an object's:
/// everything is still read by the table.
struct PackHeaders {
    /// That of the sealed records; nil where there are none.
    let key: StoreKey?
    /// The first thing that is wrong, one sentence; nil while all is right.
    private(set) var damage: String?
    private var hasBegun = false

    init(key: StoreKey?) { self.key = key }

    /// Looks at the header of `record`, which is known to be of `key` if it is sealed, and first of
    /// all at how the pack begins. Throws `PointError` if that cannot be read for another reason than
    /// damage.
    mutating func look(at record: PackRecord, of file: Descriptor, _ path: String) throws {
        guard damage == nil else { return }
        do {
            let name = Array(path.utf8)
            if !hasBegun {
                guard try PackFormat.part(file, 0, PackFormat.magic.count, name) == PackFormat.magic
                else { throw PointError.damaged(path, "its beginning is damaged") }
                hasBegun = true
            }
            let start = Int(clamping: record.offset) - PackFormat.headerBytes
            guard start >= PackFormat.magic.count,
                try PackFormat.part(file, start, PackFormat.headerBytes, name)
                    == PackFormat.header(record)
            else {
                throw PointError.damaged(
                    path, "the header of object \(record.id.digest) does not match its table")
            }
            guard record.codec.isSealed, let key else { return }
            let count = StoreKey.identifierBytes
            guard
                try PackFormat.part(file, Int(clamping: record.offset), count, name)
                    == key.identifier
            else {
                throw PointError.damaged(
                    path, "the key's identifier in object \(record.id.digest) is damaged")
            }
        } catch let error as PointError where error.isDamage {
            damage = error.cause
        }
    }
}
