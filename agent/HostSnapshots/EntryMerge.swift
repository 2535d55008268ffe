/// Brings two streams of encoded entries in the catalogue's order together: the captured ones, which
/// it pulls, and those of what is there, which are pushed. Neither stream is ever held, and what is
/// the same in both is not even decoded.
final class EntryMerge {
    /// What stands at one path in the two streams.
    enum Pair {
        case wanted(Entry)
        case present(Entry)
        case both(wanted: Entry, present: Entry)
        /// A thing that is neither a directory nor a hard link, nor immutable, is the same in both.
        case same
    }

    private let wanted: CatalogueReader
    private let visit: (Pair) throws -> Void
    /// Where the present entry of `wanted` comes in the order; nil for those of a component whose
    /// paths do not lie within each other: their order never begins anew.
    private var wantedOrder: PartOrder?
    private var presentOrder: PartOrder?
    private var hasHead = false
    private var hasBegun = false

    /// Counts how often the order of a stream began anew.
    private struct PartOrder {
        var part = 0
        private var last: [UInt8] = []

        mutating func step(to path: UnsafeRawBufferPointer) {
            part = peek(path)
            last = Array(path)
        }

        func peek(_ path: UnsafeRawBufferPointer) -> Int {
            let isNext = last.withUnsafeBytes { PathOrder.compare($0, path) < 0 }
            return isNext || last.isEmpty ? part : part + 1
        }
    }

    /// `isNested` says that paths of the component lie within others of it. `visit` is given each
    /// path once, those of nested ones twice.
    init(
        _ wanted: CatalogueReader, isNested: Bool, visit: @escaping (Pair) throws -> Void
    ) {
        self.wanted = wanted
        self.visit = visit
        if isNested { (wantedOrder, presentOrder) = (PartOrder(), PartOrder()) }
    }

    /// Adds an encoded entry of what is there.
    func push(_ present: UnsafeRawBufferPointer) throws {
        let path = EntryView(present).path
        try advance(to: path)
        presentOrder?.step(to: path)
        guard hasHead, wanted.withHead({ PathOrder.compare(EntryView($0).path, path) == 0 }) else {
            return try visit(.present(try Entry(decoding: present)))
        }
        if wanted.withHead({ Self.areSame($0, present) }) {
            try visit(.same)
        } else {
            try visit(.both(wanted: try head(), present: try Entry(decoding: present)))
        }
        try pull()
    }

    func push(_ present: Entry) throws {
        try present.encoded().withUnsafeBytes { try push($0) }
    }

    /// All of what is there was pushed.
    func finish() throws {
        if !hasBegun { try pull() }
        while hasHead { try visitHead() }
    }

    /// The captured entry of the path that will be pushed next, if there is one.
    func wanted(at path: [UInt8]) throws -> Entry? {
        try path.withUnsafeBytes { path in
            try advance(to: path)
            guard hasHead, wanted.withHead({ PathOrder.compare(EntryView($0).path, path) == 0 })
            else { return nil }
            return try head()
        }
    }

    private func advance(to path: UnsafeRawBufferPointer) throws {
        if !hasBegun { try pull() }
        while hasHead, isHeadBefore(path) { try visitHead() }
    }

    private func isHeadBefore(_ path: UnsafeRawBufferPointer) -> Bool {
        if let presentOrder, let wantedOrder {
            let part = presentOrder.peek(path)
            if part != wantedOrder.part { return wantedOrder.part < part }
        }
        return wanted.withHead { PathOrder.compare(EntryView($0).path, path) < 0 }
    }

    private func visitHead() throws {
        try visit(.wanted(try head()))
        try pull()
    }

    private func head() throws -> Entry { try wanted.withHead { try Entry(decoding: $0) } }

    private func pull() throws {
        hasBegun = true
        hasHead = try wanted.step()
        // What is not of a tree comes last; its driver compares it.
        while hasHead, wanted.withHead({ EntryView($0).kind?.isOfTree == false }) {
            hasHead = try wanted.step()
        }
        if hasHead, wantedOrder != nil {
            wanted.withHead { wantedOrder?.step(to: EntryView($0).path) }
        }
    }

    /// True if only flags may differ, and nothing more has to be known of the two.
    private static func areSame(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        // What cannot be changed has to be known, even where it need not be.
        let frozen = Entry.immutable | Entry.appendOnly
        guard left.count == right.count, left[0] == right[0],
            right[EntryView.flagsOffset] & frozen == 0, left[0] != Entry.Kind.directory.rawValue,
            left[0] != Entry.Kind.hardLink.rawValue
        else { return false }
        let rest = EntryView.flagsOffset + 1
        return left[rest...].elementsEqual(right[rest...])
    }
}

extension Entry {
    /// Decodes bytes that stand anywhere.
    init(decoding bytes: UnsafeRawBufferPointer) throws {
        try self.init(decoding: Array(bytes)[...])
    }
}
