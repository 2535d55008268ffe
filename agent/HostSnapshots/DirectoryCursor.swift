import Glibc

/// Opens the directories of paths that come one near the other: each name is opened alone, links
/// never followed, and what is open already is not opened again.
final class DirectoryCursor {
    private let root: HostRoot
    /// The directory that is open, absolute, without a slash at its end; empty for the root.
    private var path: [UInt8] = []
    /// The open directories on the way, and how many bytes of `path` lead to each.
    private var open: [(length: Int, directory: Descriptor)] = []
    /// Makes directories that are missing; nil: they are not made.
    private let make: ((Descriptor, [UInt8], [UInt8]) throws -> Void)?

    /// `make` is given the parent, the name and the whole path of each directory that is missing.
    init(_ root: HostRoot, make: ((Descriptor, [UInt8], [UInt8]) throws -> Void)? = nil) {
        self.root = root
        self.make = make
    }

    /// The directory that holds `path`, and the last name. Nil if that directory is missing.
    func parent(of path: [UInt8]) throws -> (directory: Descriptor, name: [UInt8])? {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        guard let directory = try directory(path[..<slash]) else { return nil }
        return (directory, Array(path[(slash + 1)...]))
    }

    /// The same, but nothing is made, and what is no directory on the way, a link too, counts as
    /// missing: for what need not be there any more.
    func existingParent(of path: [UInt8]) throws -> (directory: Descriptor, name: [UInt8])? {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        guard let directory = try directory(path[..<slash], ifThere: true) else { return nil }
        return (directory, Array(path[(slash + 1)...]))
    }

    /// The directory at `wanted`; nil if it is missing.
    func directory(
        _ wanted: ArraySlice<UInt8>, ifThere: Bool = false
    ) throws -> Descriptor? {
        let shared = sharedLength(wanted)
        while let last = open.last, last.length > shared { open.removeLast() }
        path = Array(wanted)
        var here = open.last?.directory ?? root.directory
        var start = open.last?.length ?? 0
        while start < path.count {
            let end = path[(start + 1)...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
            let name = Array(path[(start + 1)..<end])
            guard let next = try step(here, name, Array(path[..<end]), ifThere) else {
                path = Array(path[..<start])
                return nil
            }
            open.append((end, next))
            (here, start) = (next, end)
        }
        return here
    }

    /// Closes all directories, so that the next is opened by its names from the root.
    func forget() {
        open = []
        path = []
    }

    /// Bytes of `path` that lead to a directory which also lies on the way to `wanted`.
    private func sharedLength(_ wanted: ArraySlice<UInt8>) -> Int {
        var same = 0
        let count = min(path.count, wanted.count)
        path.withUnsafeBufferPointer { one in
            wanted.withUnsafeBufferPointer { two in
                while same < count, one[same] == two[same] { same += 1 }
            }
        }
        func ends(_ bytes: ArraySlice<UInt8>) -> Bool {
            same == bytes.count || bytes[bytes.startIndex + same] == UInt8(ascii: "/")
        }
        if ends(path[...]), ends(wanted) { return same }
        return path[..<same].lastIndex(of: UInt8(ascii: "/")) ?? 0
    }

    private func step(
        _ here: Descriptor, _ name: [UInt8], _ path: [UInt8], _ ifThere: Bool
    ) throws -> Descriptor? {
        if let next = here.open(name, O_RDONLY | O_DIRECTORY) { return next }
        let code = errno
        if ifThere, [ENOENT, ENOTDIR, ELOOP].contains(code) { return nil }
        if code == ENOENT {
            guard let make else { return nil }
            try make(here, name, path)
            guard let next = here.open(name, O_RDONLY | O_DIRECTORY) else {
                throw PointError.system("reach", path, errno)
            }
            return next
        }
        if code == ENOTDIR, let found = try here.status(of: name) {
            let isLink = found.st_mode & S_IFMT == S_IFLNK
            throw PointError.system("reach", path, isLink ? ELOOP : ENOTDIR)
        }
        throw PointError.system("reach", path, code)
    }
}
