import FleetWire

/// What must be done so that a component is again as it was captured. Only what differs is held.
struct RestorePlan {
    /// What one of the component's paths takes and gives back.
    struct Room {
        var root: [UInt8]
        /// Bytes that are written at most.
        var needed: UInt64 = 0
        /// Entries that are made.
        var made: UInt64 = 0
        /// Bytes that removals give back at least.
        var freed: UInt64 = 0

        /// True if `path` is counted here.
        func holds(_ path: [UInt8]) -> Bool { path == root || path.isBelow(root) }
    }

    var component: ComponentName
    /// The component's paths, by which room is counted and above which nothing belongs to it.
    var rooms: [Room] = []
    /// Topmost paths to remove, each with all it holds.
    var removals: [[UInt8]] = []
    /// Topmost paths at which another kind of thing stands now; each is also in `changes`.
    var replaced: [[UInt8]] = []
    /// Entries to write or repair, in the order of the catalogue.
    var changes = PackedEntries()
    /// Existing directories whose metadata differs, in the order of the catalogue.
    var directories: [Entry] = []
    /// What an interrupted restore left beside.
    var leftovers: [[UInt8]] = []
    /// A database's log and shared memory go with it.
    var isDatabase = false

    /// Set by who built it: so much of a single directory differs that all of it may be exchanged.
    var isNearlyAllDifferent = false
    /// What is different, where more than that is written.
    var summary: (changed: Int, removed: Int)?

    /// Entries that differ, directories included.
    var changed: Int { summary?.changed ?? changes.count + directories.count }
    /// Topmost paths that were added later.
    var removed: Int { summary?.removed ?? removals.count }
    /// Changes and removals together.
    var count: Int { changed + removed }
    /// True if the component is not as it was captured.
    var differs: Bool { changed > 0 || removed > 0 }
    /// True if there is nothing to do.
    var isEmpty: Bool { !differs && leftovers.isEmpty }

    var needed: UInt64 { rooms.reduce(0) { $0.saturating($1.needed) } }
    var freed: UInt64 { rooms.reduce(0) { $0.saturating($1.freed) } }

    /// True if `path` belongs to the component.
    func holds(_ path: [UInt8]) -> Bool {
        rooms.contains { $0.holds(path) }
    }
}

extension [UInt8] {
    /// True if this path lies below `folder`.
    func isBelow(_ folder: [UInt8]) -> Bool {
        count > folder.count && self[folder.count] == UInt8(ascii: "/") && starts(with: folder)
    }
}
