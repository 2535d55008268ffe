import CLinux
import Glibc

/// Reads one component's part of the index along with a walk in the same order: each of its records
/// is met at most once, and one block of it is in memory.
final class IndexCursor {
    private let file: Descriptor
    private let codec: ObjectCodec
    private let path: [UInt8]
    private let hasher = ObjectHasher()
    /// Where the next block begins, and where the blocks end.
    private var next: Int
    private let end: Int
    private var block: [UInt8] = []
    /// Where the present record stands in the block.
    private var position = 0
    private var length = 0
    /// The present record's number.
    private var ordinal = -1
    /// Records in all.
    let count: Int
    /// Packs that held all objects when it was written.
    let packs: [ObjectID]
    /// True if all of `packs` are there still, so that no object needs to be asked for.
    var isTrusted = false

    /// Nil if it is not there or not whole; blocks are checked when they are met.
    init?(_ files: StoreFiles, _ name: String, _ codec: ObjectCodec) {
        let parts = IndexFormat.self
        guard let file = try? files.open(name, O_RDONLY | O_NOFOLLOW),
            let size = try? Int(file.status().st_size),
            size >= parts.magicBytes + parts.footerBytes
        else { return nil }
        self.file = file
        self.codec = codec
        path = Array(name.utf8)
        guard let head = try? PackFormat.part(file, 0, 8, path), head == parts.magic(codec),
            let foot = try? PackFormat.part(
                file, size - parts.footerBytes, parts.footerBytes, path),
            Array(foot.suffix(8)) == parts.ending
        else { return nil }
        var reader = ByteReader(foot[...])
        guard let start = try? Int(clamping: reader.number(UInt64.self)),
            let trailer = Self.block(file, start, size - parts.footerBytes, path, hasher, codec)
        else { return nil }
        var rows = ByteReader(trailer.bytes[...])
        guard let count = try? Int(clamping: rows.number(UInt64.self)) else { return nil }
        var packs: [ObjectID] = []
        while !rows.isAtEnd, let id = try? rows.objectID() { packs.append(id) }
        self.count = count
        self.packs = packs
        next = parts.magicBytes
        end = start
        _ = advance()
    }

    /// The checked bytes of the block at `start`, and where it ends; nil if it is damaged.
    private static func block(
        _ file: Descriptor, _ start: Int, _ end: Int, _ path: [UInt8], _ hasher: ObjectHasher,
        _ codec: ObjectCodec
    ) -> (bytes: [UInt8], end: Int)? {
        let head = IndexFormat.blockHeaderBytes
        guard start >= 8, start <= end - head,
            let bytes = try? PackFormat.part(file, start, head, path)
        else { return nil }
        var reader = ByteReader(bytes[...])
        guard let count = try? Int(reader.number(UInt32.self)), count <= end - start - head,
            let id = try? reader.objectID(),
            let payload = try? PackFormat.part(file, start + head, count, path),
            payload.withUnsafeBytes({ hasher.hash($0) }) == id,
            let plain = try? codec.reveal(payload, as: IndexFormat.purpose)
        else { return nil }
        return (plain, start + head + count)
    }

    /// Steps to the next record; false at the end or at damage, where everything counts as changed.
    private func advance() -> Bool {
        position += length
        ordinal += 1
        if position >= block.count {
            guard next < end,
                let (bytes, after) = Self.block(file, next, end, path, hasher, codec),
                !bytes.isEmpty
            else { return giveUp() }
            block = bytes
            next = after
            position = 0
        }
        length = 4 + Int(number(at: 0, UInt32.self))
        guard length >= IndexFormat.recordBytes + EntryView.bytesMin,
            length <= block.count - position
        else { return giveUp() }
        return true
    }

    /// Nothing is known from here on.
    private func giveUp() -> Bool {
        next = end
        block = []
        length = 0
        position = 0
        return false
    }

    private func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
        block.withUnsafeBytes {
            Number(
                littleEndian: $0.loadUnaligned(
                    fromByteOffset: position + offset, as: Number.self))
        }
    }

    /// Calls `body` with the encoded entry that was captured at `path` and its number, if nothing
    /// about the file has changed since. Paths must be asked for in the order of the catalogue.
    func find<Result>(
        _ path: [UInt8], _ status: FileStatus,
        _ body: (UnsafeRawBufferPointer, Int) throws -> Result?
    ) rethrows -> Result? {
        while !block.isEmpty {
            let order = path.withUnsafeBytes { wanted in
                withPath { PathOrder.compare($0, wanted) }
            }
            if order > 0 { return nil }
            if order == 0 {
                defer { _ = advance() }
                guard isSame(status) else { return nil }
                return try withEntry { try body($0, ordinal) }
            }
            _ = advance()
        }
        return nil
    }

    private func isSame(_ status: FileStatus) -> Bool {
        guard number(at: 4, UInt64.self) == status.device,
            number(at: 12, UInt64.self) == status.inode,
            number(at: 20, Int64.self) == status.changed
        else { return false }
        return withEntry { entry in
            let view = EntryView(entry)
            if view.kind == .hardLink { return true }
            return view.seconds == status.modified_seconds
                && view.nanoseconds == status.modified_nanoseconds
                && view.mode == status.mode & 0o7777
                && (!status.isRegular || view.kind != .regular || view.size == status.size)
        }
    }

    private func withPath<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withEntry { body(EntryView($0).path) }
    }

    private func withEntry<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try block.withUnsafeBytes {
            try body(
                UnsafeRawBufferPointer(
                    rebasing: $0[position + IndexFormat.recordBytes..<position + length]))
        }
    }

    /// Calls `body` with each of the first `count` whole records. For a cursor that was not asked.
    func copy(first count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        for _ in 0..<count where !block.isEmpty {
            try block.withUnsafeBytes {
                try body(UnsafeRawBufferPointer(rebasing: $0[position..<position + length]))
            }
            _ = advance()
        }
    }
}
