import CLinux

/// Pushes what a walk finds into a merge, one by one: of a file that the index does not know only
/// that is read which could be the same as the captured one.
final class ComparingWalk: WalkSink {
    private let merge: EntryMerge
    private let builder: PlanBuilder
    private let reader: ContentReader
    private let trusting: TrustedFiles
    private let report: RestoreReport
    private let batch = EntryBatch()

    init(
        _ merge: EntryMerge, _ builder: PlanBuilder, _ reader: ContentReader,
        trusting: TrustedFiles, _ report: RestoreReport
    ) {
        self.merge = merge
        self.builder = builder
        self.reader = reader
        self.trusting = trusting
        self.report = report
        reader.onRead = { report.advance($0) }
    }

    func add(known entry: UnsafeRawBufferPointer, _ ordinal: Int, _ status: FileStatus) throws {
        builder.linkCount = UInt64(status.links)
        report.add(status.size)
        try merge.push(entry)
    }

    func add(_ entry: Entry, _ status: FileStatus?) throws {
        builder.linkCount = UInt64(status?.links ?? 1)
        report.add(entry.size)
        try merge.push(entry)
    }

    func add(
        file status: FileStatus, nameCount: Int, in folder: Descriptor, path: [UInt8]
    ) throws {
        builder.linkCount = UInt64(status.links)
        let written = trusting.find(status)
        if let chunks = try chunks(status, path, isTrusted: written != nil) {
            report.add(status.size)
            var entry = Entry(kind: .regular, path: path)
            entry.take(status)
            entry.chunks = chunks
            if written?.isBare != true {
                entry.attributes = try Attributes.read(folder, Array(path.suffix(nameCount)))
            }
            return try merge.push(entry)
        }
        batch.clear()
        batch.add(file: status, nameCount: nameCount, in: folder, path: path)
        try batch.complete(reader)
        report.add(0)
        try batch.forEach { _, entry in try merge.push(entry) }
    }

    /// The chunks of a file that need not be read: it is another one in any case, or it was read
    /// back when it was written and nobody has touched it since.
    private func chunks(
        _ status: FileStatus, _ path: [UInt8], isTrusted: Bool
    ) throws -> [ObjectID]? {
        guard let wanted = try merge.wanted(at: path), wanted.kind == .regular,
            wanted.size == status.size
        else { return status.size == 0 ? [] : [Self.unread] }
        return isTrusted ? wanted.chunks : nil
    }

    /// No file hashes to this.
    private static let unread = ObjectID(hashing: Array("not read".utf8))
}

/// Files that were read back when they were written beside, and that nobody has touched since.
struct TrustedFiles {
    private let files: [WrittenFile]
    /// Times of change from this on are too near to the moment at which other processes could reach
    /// the files, as coarse as clocks of file systems are.
    private let before: Int64

    static let none = TrustedFiles([], reachableFrom: 0)

    /// `files` are sorted; `reachableFrom` is when they got their names, in nanoseconds since 1970.
    init(_ files: [WrittenFile], reachableFrom: Int64) {
        self.files = files
        before = reachableFrom - 20_000_000
    }

    /// What was known of the file when it was written; nil if it may have changed since.
    func find(_ found: FileStatus) -> WrittenFile? {
        let wanted = WrittenFile(found)
        guard wanted.changed < before else { return nil }
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if files[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < files.count && files[low] == wanted ? files[low] : nil
    }
}
