import Glibc

/// The calls of btrfs that snapshots need. Numbers and offsets are those of linux/btrfs.h, whose
/// structures are the kernel's interface and do not change.
enum BtrfsCalls {
    /// What the kernel says of a subvolume (struct btrfs_ioctl_get_subvol_info_args).
    struct Subvolume {
        var id: UInt64
        /// The subvolume and the directory in it that hold this one.
        var parent: UInt64
        var directory: UInt64
        var uuid: [UInt8]
        /// The subvolume that this is a snapshot of; zeros if it is none.
        var source: [UInt8]
        /// The transaction of its last change.
        var changed: UInt64
        /// When it was made, in nanoseconds since 1970.
        var made: Int64
    }

    /// BTRFS_FIRST_FREE_OBJECTID: the inode number of each subvolume's root.
    static let rootInode: UInt64 = 256
    private static let argumentBytes = 4096
    private static let nameOffset = 56
    private static let readOnly: UInt64 = 1 << 1

    /// Nil if `directory` lies on no btrfs.
    static func subvolume(of directory: Descriptor) throws -> Subvolume? {
        // _IOR(0x94, 60), 504 bytes.
        var room = [UInt8](repeating: 0, count: 504)
        let done = room.withUnsafeMutableBytes { room in
            room.baseAddress.map {
                directory.calls.ioctl(directory.raw, 0x81F8_943C, $0, changes: false)
            } ?? -1
        }
        guard done == 0 else {
            if errno == ENOTTY { return nil }
            throw PointError.system("look at the subvolume", [], errno)
        }
        return room.withUnsafeBytes { bytes in
            func number(_ offset: Int) -> UInt64 {
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            }
            let nanoseconds = bytes.loadUnaligned(fromByteOffset: 400, as: UInt32.self)
            return Subvolume(
                id: number(0), parent: number(264), directory: number(272),
                uuid: Array(bytes[296..<312]), source: Array(bytes[312..<328]),
                changed: number(344),
                made: Int64(clamping: number(392)) &* 1_000_000_000 &+ Int64(nanoseconds))
        }
    }

    /// True if other subvolumes lie within the one that `directory` is the root of.
    static func holdsSubvolumes(_ directory: Descriptor) throws -> Bool {
        // _IOWR(0x94, 61), 4096 bytes: the number of what was found stands behind 255 references.
        var room = [UInt8](repeating: 0, count: argumentBytes)
        let done = room.withUnsafeMutableBytes { room in
            room.baseAddress.map {
                directory.calls.ioctl(directory.raw, 0xD000_943D, $0, changes: false)
            } ?? -1
        }
        // EOVERFLOW: there are more than fit.
        guard done == 0 || errno == EOVERFLOW else {
            throw PointError.system("look for subvolumes", [], errno)
        }
        return done != 0 || room[8 + 255 * 16] > 0
    }

    /// Makes a snapshot of `source` as `name` in `folder`; durable on return, since the kernel
    /// commits the transaction.
    static func snapshot(
        _ source: Descriptor, in folder: Descriptor, _ name: [UInt8], isReadOnly: Bool
    ) throws {
        var argument = [UInt8](repeating: 0, count: argumentBytes)
        argument.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: Int64(source.raw), toByteOffset: 0, as: Int64.self)
            bytes.storeBytes(
                of: isReadOnly ? readOnly : 0, toByteOffset: 16, as: UInt64.self)
        }
        // _IOW(0x94, 23): fd, transid, flags, 32 bytes unused, name of 4040.
        try call(0x5000_9417, "make the snapshot", &argument, nameAt: nameOffset, folder, name)
    }

    /// Deletes the subvolume `name` in `folder`; its space comes back in the background.
    static func delete(_ name: [UInt8], in folder: Descriptor) throws {
        var argument = [UInt8](repeating: 0, count: argumentBytes)
        // _IOW(0x94, 15): fd, name of 4088.
        try call(0x5000_940F, "delete the snapshot", &argument, nameAt: 8, folder, name)
    }

    private static func call(
        _ request: UInt, _ what: String, _ argument: inout [UInt8], nameAt offset: Int,
        _ folder: Descriptor, _ name: [UInt8]
    ) throws {
        guard name.count < 256 else {
            throw PointError.system(what, name, ENAMETOOLONG)
        }
        argument.replaceSubrange(offset..<(offset + name.count), with: name)
        let done = argument.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { folder.calls.ioctl(folder.raw, request, $0, changes: true) }
                ?? -1
        }
        guard done == 0 else { throw PointError.system(what, name, errno) }
    }
}
