/// The order of a catalogue within one of its component's paths: a directory before what it holds,
/// names by their bytes.
struct CatalogueOrder {
    /// Counts how often the order began anew: a component's paths may lie within each other.
    private var part = 0
    private var last: [UInt8] = []

    struct Place {
        var part: Int
        var path: [UInt8]

        func precedes(_ other: Place) -> Bool {
            part != other.part
                ? part < other.part : CatalogueOrder.precedes(path, other.path)
        }
    }

    /// The place of the next entry of a stream.
    mutating func place(_ path: [UInt8]) -> Place {
        let place = peek(path)
        part = place.part
        last = path
        return place
    }

    /// The place that the next entry of a stream would have.
    func peek(_ path: [UInt8]) -> Place {
        Place(part: last.isEmpty || Self.precedes(last, path) ? part : part + 1, path: path)
    }

    /// True if `left` comes before `right`. A slash counts less than any byte of a name.
    static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        let count = min(left.count, right.count)
        return left.withUnsafeBufferPointer { one in
            right.withUnsafeBufferPointer { two in
                for index in 0..<count where one[index] != two[index] {
                    return one[index] == slash || (two[index] != slash && one[index] < two[index])
                }
                return left.count < right.count
            }
        }
    }
}

/// Brings two streams of entries in the catalogue's order together: the captured ones, which it
/// pulls, and those of what is there, which are pushed. Neither stream is ever held.
final class EntryMerge {
    /// What stands at one path in the two streams.
    enum Pair {
        case wanted(Entry)
        case present(Entry)
        case both(wanted: Entry, present: Entry)
    }

    private let next: () throws -> Entry?
    private let visit: (Pair) throws -> Void
    private var order = CatalogueOrder()
    private var presentOrder = CatalogueOrder()
    private var head: (place: CatalogueOrder.Place, entry: Entry)?
    private var hasBegun = false

    /// `next` gives the captured entries, nil at their end; `visit` is given each path once.
    init(_ next: @escaping () throws -> Entry?, visit: @escaping (Pair) throws -> Void) {
        self.next = next
        self.visit = visit
    }

    func push(_ present: Entry) throws {
        let place = presentOrder.place(present.path)
        try advance(to: place)
        if let head, head.entry.path == present.path {
            try pull()
            try visit(.both(wanted: head.entry, present: present))
        } else {
            try visit(.present(present))
        }
    }

    /// All of what is there was pushed.
    func finish() throws {
        if !hasBegun { try pull() }
        while let head {
            try pull()
            try visit(.wanted(head.entry))
        }
    }

    /// The captured entry of the path that will be pushed next, if there is one.
    func wanted(at path: [UInt8]) throws -> Entry? {
        try advance(to: presentOrder.peek(path))
        guard let head, head.entry.path == path else { return nil }
        return head.entry
    }

    private func advance(to place: CatalogueOrder.Place) throws {
        if !hasBegun { try pull() }
        while let head, head.place.precedes(place) {
            try pull()
            try visit(.wanted(head.entry))
        }
    }

    private func pull() throws {
        hasBegun = true
        head = try next().map { (order.place($0.path), $0) }
    }
}
