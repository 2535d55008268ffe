/// Entries one behind the other in their encoded form: a tenth of what they take as values, so that
/// a restore of a million files still fits.
struct PackedEntries {
    /// What is to be done with an entry.
    enum Action: UInt8 {
        /// Written beside and renamed.
        case write
        /// Owner, mode, time and attributes are set where it stands.
        case repair
        /// A directory with all that it holds is built beside and renamed.
        case tree
        /// The same, and it takes the place of another directory.
        case exchange
        /// It lies in the last `tree` or `exchange`.
        case inside
    }

    private static let blockBytes = 1 << 20
    private var blocks: [[UInt8]] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ entry: Entry, _ action: Action) {
        if (blocks.last?.count ?? .max) >= Self.blockBytes {
            blocks.append([])
            blocks[blocks.count - 1].reserveCapacity(Self.blockBytes + 4096)
        }
        blocks[blocks.count - 1].append(action.rawValue)
        blocks[blocks.count - 1].append(counted: entry.encoded())
        count += 1
    }

    /// Gives the entries in the order in which they came.
    struct Cursor {
        private let blocks: [[UInt8]]
        private var block = 0
        private var offset = 0

        fileprivate init(_ blocks: [[UInt8]]) { self.blocks = blocks }

        mutating func next() throws -> (entry: Entry, action: Action)? {
            guard block < blocks.count else { return nil }
            var reader = ByteReader(blocks[block][offset...])
            guard let action = Action(rawValue: try reader.number(UInt8.self)) else {
                preconditionFailure("what was appended is read")
            }
            let entry = try Entry(decoding: reader.take(Int(reader.number(UInt32.self))))
            offset = reader.position
            if reader.isAtEnd { (block, offset) = (block + 1, 0) }
            return (entry, action)
        }
    }

    var cursor: Cursor { Cursor(blocks) }

    func forEach(_ body: (Entry, Action) throws -> Void) throws {
        var cursor = cursor
        while let (entry, action) = try cursor.next() { try body(entry, action) }
    }
}
