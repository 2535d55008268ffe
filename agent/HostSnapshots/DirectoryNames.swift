import Glibc

/// The names in one directory, sorted by their bytes, in one buffer: a directory of a million
/// entries costs their bytes, not a million arrays.
struct DirectoryNames {
    /// Each name and a NUL.
    private var bytes: [UInt8] = []
    private var starts: [UInt32] = []

    var count: Int { starts.count }

    /// Reads `directory`, which is left at its end. `path` is for errors.
    init(_ directory: Descriptor, _ path: [UInt8]) throws {
        // Records of linux_dirent64: inode 8, offset 8, length 2, type 1, then the name and a NUL.
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { room in
            guard let start = room.baseAddress else { preconditionFailure("it holds bytes") }
            while true {
                let count = directory.calls.list(directory.raw, start, room.count)
                guard count >= 0 else { throw PointError.system("list", path, errno) }
                if count == 0 { return }
                var offset = 0
                while offset < count {
                    let record = start + offset
                    offset += Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
                    add(UnsafePointer((record + 19).assumingMemoryBound(to: CChar.self)))
                }
            }
        }
        sort()
    }

    private mutating func add(_ name: UnsafePointer<CChar>) {
        if strcmp(name, ".") == 0 || strcmp(name, "..") == 0 { return }
        starts.append(UInt32(bytes.count))
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: name, count: strlen(name) + 1))
    }

    private mutating func sort() {
        bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress else { return }
            let names = base.assumingMemoryBound(to: CChar.self)
            // strcmp compares unsigned bytes, and a shorter name comes first.
            starts.sort { strcmp(names + Int($0), names + Int($1)) < 0 }
        }
    }

    /// Calls `body` with the name at `position`, as a C string and its length.
    func withName<Result>(
        _ position: Int, _ body: (UnsafePointer<CChar>, Int) throws -> Result
    ) rethrows -> Result {
        try bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress else { preconditionFailure("a name has a byte") }
            let name = (base + Int(starts[position])).assumingMemoryBound(to: CChar.self)
            return try body(name, strlen(name))
        }
    }
}

/// The order of a catalogue over paths: names are compared one after the other by their bytes, and
/// a directory comes before what it holds.
enum PathOrder {
    static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let common = min(left.count, right.count)
        var index = 0
        while index < common, left[index] == right[index] { index += 1 }
        if index == common { return left.count - right.count }
        // A slash ends a name, so it comes before every byte of a longer one.
        let first = left[index] == 0x2F ? 0 : Int(left[index])
        let second = right[index] == 0x2F ? 0 : Int(right[index])
        return first - second
    }

    static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { compare(left, $0) < 0 } }
    }
}
