import FleetWire

/// Holds a pack's first bytes and the header before each record against what its table says.
///
/// Only a reader whose table is lost needs them, so damage there costs nothing until a second fault
/// makes it cost objects. It is the pack's and not an object's: everything is still read by the table.
struct PackHeaders {
    /// The first thing that is wrong, one sentence; nil while all is right.
    private(set) var damage: String?
    private var hasBegun = false

    /// Looks at the header of `record`, and first of all at how the pack begins. Throws `PointError`
    /// if that cannot be read for another reason than damage.
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
        } catch let error as PointError where error.isDamage {
            damage = error.cause
        }
    }
}
