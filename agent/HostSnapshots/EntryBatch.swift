import CLinux
import Glibc

/// Some entries of a walk in the catalogue's order, encoded one after the other; some of them may
/// still have to be read. Batches are used again, so that a walk makes few arrays.
// Proof: a batch is held by one thread at a time; BatchQueue hands it over under its monitor.
final class EntryBatch: @unchecked Sendable {
    struct Row {
        /// Where the counted entry stands in `bytes`, with its length before it.
        var start: Int
        var count: Int
        var device: UInt64
        var inode: UInt64
        var changed: Int64
        /// Its number in the index; nil if it does not come from there.
        var ordinal: Int?
        /// True if the index may believe it.
        var isSettled: Bool
        /// Its place in `pendings`; nil if it is encoded.
        var pending: Int?
    }
    /// A regular file that has to be read.
    struct Pending {
        var folder: Int
        /// Where its path stands in `paths`, with a NUL after it, and where its name begins.
        var path: Int
        var count: Int
        var name: Int
        var status: FileStatus
    }

    private(set) var rows: [Row] = []
    private(set) var bytes: [UInt8] = []
    private(set) var pendings: [Pending] = []
    private(set) var paths: [UInt8] = []
    private(set) var folders: [Descriptor] = []
    /// Bytes of content that have to be read.
    private(set) var unread: UInt64 = 0
    /// Bytes of content that were read for it.
    private(set) var read = 0
    private var merged: [UInt8] = []

    /// Large enough to be handed on: what it holds is worth a change of thread.
    var isFull: Bool {
        pendings.count >= 64 || unread >= 1 << 20 || bytes.count >= 1 << 18 || folders.count >= 16
    }

    func clear() {
        rows.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        pendings.removeAll(keepingCapacity: true)
        paths.removeAll(keepingCapacity: true)
        folders.removeAll(keepingCapacity: true)
        unread = 0
        read = 0
    }

    func add(
        known entry: UnsafeRawBufferPointer, _ ordinal: Int?, _ status: FileStatus?,
        isSettled: Bool
    ) {
        rows.append(
            Row(
                start: bytes.count, count: entry.count + 4, device: status?.device ?? 0,
                inode: status?.inode ?? 0, changed: status?.changed ?? 0, ordinal: ordinal,
                isSettled: isSettled))
        bytes.append(number: UInt32(entry.count))
        bytes.append(contentsOf: entry)
    }

    func add(file status: FileStatus, nameCount: Int, in folder: Descriptor, path: [UInt8]) {
        if folders.last !== folder { folders.append(folder) }
        pendings.append(
            Pending(
                folder: folders.count - 1, path: paths.count, count: path.count,
                name: paths.count + path.count - nameCount, status: status))
        paths.append(contentsOf: path)
        paths.append(0)
        unread = unread.saturating(status.size)
        rows.append(
            Row(
                start: 0, count: 0, device: status.device, inode: status.inode, changed: 0,
                isSettled: false, pending: pendings.count - 1))
    }

    /// Reads what is pending. A file that is gone meanwhile counts as never seen.
    func complete(_ reader: ContentReader) throws {
        if pendings.isEmpty { return }
        merged.removeAll(keepingCapacity: true)
        var kept = 0
        for index in rows.indices {
            var row = rows[index]
            let start = merged.count
            if let pending = row.pending {
                merged.append(number: UInt32(0))
                guard let read = try reader.encode(pendings[pending], of: self, into: &merged)
                else {
                    merged.removeLast(4)
                    continue
                }
                self.read += reader.told
                (row.changed, row.isSettled) = (read.status.changed, read.isSettled)
                (row.device, row.inode) = (read.status.device, read.status.inode)
                row.pending = nil
                row.count = merged.count - start
                let length = UInt32(row.count - 4).littleEndian
                merged.withUnsafeMutableBytes {
                    $0.storeBytes(of: length, toByteOffset: start, as: UInt32.self)
                }
            } else {
                merged.append(contentsOf: bytes[row.start..<row.start + row.count])
            }
            row.start = start
            rows[kept] = row
            kept += 1
        }
        rows.removeLast(rows.count - kept)
        swap(&bytes, &merged)
        pendings.removeAll(keepingCapacity: true)
        paths.removeAll(keepingCapacity: true)
        folders.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with each entry without its length.
    func forEach(_ body: (Row, UnsafeRawBufferPointer) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { all in
            for row in rows {
                try body(
                    row,
                    UnsafeRawBufferPointer(
                        rebasing: all[row.start + 4..<row.start + row.count]))
            }
        }
    }

    /// Makes all flags 0, as they count in the state.
    func clearFlags() {
        for row in rows { bytes[row.start + 4 + EntryView.flagsOffset] = 0 }
    }

    /// The decoded entries.
    func entries() throws -> [Entry] {
        try rows.map { try Entry(decoding: bytes[$0.start + 4..<$0.start + $0.count]) }
    }
}
