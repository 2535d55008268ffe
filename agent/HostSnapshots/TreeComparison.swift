import Glibc

/// Tells whether two trees hold the same, faster than their states would: it ends at the first
/// difference, and a file is only read if its inode changed since the one was a snapshot of the
/// other.
struct TreeComparison {
    /// Inodes of the same number that last changed before this moment, in nanoseconds since 1970,
    /// hold the same bytes; 0 if the trees are not related.
    let relatedBefore: Int64
    /// Inodes with several names of the left tree and theirs of the right, and the other way round.
    private var names: [UInt64: UInt64] = [:]
    private var namesBack: [UInt64: UInt64] = [:]

    init(relatedBefore: Int64) { self.relatedBefore = relatedBefore }

    /// True if the directories `left` and `right` and all below them are the same.
    mutating func areSame(_ left: Descriptor, _ right: Descriptor) throws -> Bool {
        let (one, other) = (try left.status(), try right.status())
        guard Self.metadata(one) == Self.metadata(other),
            try Attributes.read(left) == Attributes.read(right)
        else { return false }
        return try haveSameChildren(left, right, depth: 0)
    }

    private mutating func haveSameChildren(
        _ left: Descriptor, _ right: Descriptor, depth: Int
    ) throws -> Bool {
        let children = try left.names()
        guard try children == right.names() else { return false }
        guard depth < SnapshotLimits.depthMax else { return false }
        for name in children {
            guard let one = try left.status(of: name), let other = try right.status(of: name),
                try isSame(name, left, one, right, other, depth)
            else { return false }
        }
        return true
    }

    private mutating func isSame(
        _ name: [UInt8], _ left: Descriptor, _ one: stat, _ right: Descriptor, _ other: stat,
        _ depth: Int
    ) throws -> Bool {
        let type = one.st_mode & S_IFMT
        if type == S_IFSOCK, other.st_mode & S_IFMT == S_IFSOCK { return true }
        guard Self.metadata(one) == Self.metadata(other) else { return false }
        if type == S_IFDIR {
            guard let one = left.open(name, O_RDONLY | O_DIRECTORY),
                let other = right.open(name, O_RDONLY | O_DIRECTORY)
            else { throw PointError.system("open", name, errno) }
            return try Attributes.read(one) == Attributes.read(other)
                && haveSameChildren(one, other, depth: depth + 1)
        }
        // Names of one inode on the one side must be names of one inode on the other.
        if one.st_nlink > 1 {
            let (left, right) = (UInt64(one.st_ino), UInt64(other.st_ino))
            if names.updateValue(right, forKey: left) ?? right != right { return false }
            if namesBack.updateValue(left, forKey: right) ?? left != left { return false }
        }
        if isUntouched(one, other) { return true }
        guard try Attributes.read(left, name) == Attributes.read(right, name) else { return false }
        switch type {
        case S_IFREG: return try haveSameBytes(name, left, right)
        case S_IFLNK:
            return try TreeWalker.target(left, name, name)
                == TreeWalker.target(right, name, name)
        default: return true
        }
    }

    /// A snapshot keeps inode numbers and times of change; a change within a tick of the clock
    /// could hide, so that only those count that lie back.
    private func isUntouched(_ one: stat, _ other: stat) -> Bool {
        let changed = Self.nanoseconds(one.st_ctim)
        return one.st_ino == other.st_ino && changed == Self.nanoseconds(other.st_ctim)
            && changed < relatedBefore
    }

    private func haveSameBytes(
        _ name: [UInt8], _ left: Descriptor, _ right: Descriptor
    ) throws -> Bool {
        guard let one = left.open(name, O_RDONLY | O_NONBLOCK),
            let other = right.open(name, O_RDONLY | O_NONBLOCK)
        else { throw PointError.system("open", name, errno) }
        var room = [[UInt8]](
            repeating: [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes), count: 2)
        var offset = 0
        while true {
            let counts = [
                try room[0].withUnsafeMutableBytes { try one.read($0, at: offset, name) },
                try room[1].withUnsafeMutableBytes { try other.read($0, at: offset, name) },
            ]
            guard counts[0] == counts[1], room[0][..<counts[0]] == room[1][..<counts[1]] else {
                return false
            }
            if counts[0] == 0 { return true }
            offset += counts[0]
        }
    }

    private static func metadata(_ found: stat) -> [Int64] {
        let isDirectory = found.st_mode & S_IFMT == S_IFDIR
        return [
            Int64(found.st_mode), Int64(found.st_uid), Int64(found.st_gid),
            isDirectory ? 0 : Int64(found.st_size), nanoseconds(found.st_mtim),
            Int64(bitPattern: UInt64(found.st_rdev)), isDirectory ? 0 : Int64(found.st_nlink),
        ]
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
