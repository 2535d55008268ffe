import CLinux
import Glibc

/// One number for everything that a tree holds: names, kinds, modes, owners, times and bytes.
///
/// Two trees of the same number are taken for equal; this is a check against mistakes, not against
/// somebody who wants to deceive it.
struct TreeDigest: Equatable {
    let value: UInt64
    let entries: Int

    /// Reads the whole tree at `top`, which also brings it into the page cache.
    init(of top: String) throws {
        var (value, entries): (UInt64, Int) = (0, 0)
        try Folder.walk(top) { path, status, isLeft in
            guard !isLeft else { return }
            if entries.isMultiple(of: 256) { try Interruption.check() }
            // A sum does not depend on the order in which a directory lists its names.
            value &+= try Self.digest(status, path, below: top)
            entries += 1
        }
        (self.value, self.entries) = (value, entries)
    }

    private static func digest(_ status: stat, _ path: String, below top: String) throws -> UInt64 {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        let name = Array(path.utf8.dropFirst(top.utf8.count))
        name.withUnsafeBytes { add($0, to: &digest) }
        let fields: [UInt64] = [
            UInt64(status.st_mode), UInt64(status.st_uid), UInt64(status.st_gid),
            UInt64(bitPattern: Int64(status.st_mtim.tv_sec)), UInt64(status.st_mtim.tv_nsec),
            status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : 0,
        ]
        fields.withUnsafeBytes { add($0, to: &digest) }
        if status.st_mode & S_IFMT == S_IFREG { try addContent(path, to: &digest) }
        return digest
    }

    private static func addContent(_ path: String, to digest: inout UInt64) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw BenchFailure.system("open", path, errno) }
        defer { close(file) }
        try withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { room in
            while true {
                let count = read(file, room.baseAddress, room.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw BenchFailure.system("read", path, errno) }
                if count == 0 { return }
                add(UnsafeRawBufferPointer(rebasing: room[..<count]), to: &digest)
            }
        }
    }

    /// FNV-1a's step over words of eight bytes, with the constants of its 64 bits.
    private static func add(_ bytes: UnsafeRawBufferPointer, to digest: inout UInt64) {
        var offset = 0
        var mixed = digest
        while offset < bytes.count {
            var word: UInt64 = 0
            if offset + 8 <= bytes.count {
                word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            } else {
                for index in offset..<bytes.count { word = word << 8 | UInt64(bytes[index]) }
            }
            mixed = (mixed ^ word) &* 0x100_0000_01B3
            mixed ^= mixed >> 29
            offset += 8
        }
        digest = mixed
    }
}
