import Glibc

/// The directory below which all paths of components lie. Links on the way are never followed.
struct HostRoot {
    let directory: Descriptor
    /// Its own path.
    let path: String
    /// Names in it that belong to restores, to no component.
    let beside: BesideNames

    init(_ path: String, beside: BesideNames, _ calls: FileCalls = .system) throws {
        self.path = path
        self.beside = beside
        directory = try StoreFiles(path, calls).open("", O_RDONLY | O_DIRECTORY)
    }

    /// The names of an absolute path; `.` and `..` are refused.
    static func names(of path: [UInt8]) throws -> [[UInt8]] {
        let names = path.split(separator: UInt8(ascii: "/")).map(Array.init)
        guard path.first == UInt8(ascii: "/"), !names.isEmpty, !path.contains(0),
            !names.contains([0x2E]), !names.contains([0x2E, 0x2E])
        else {
            throw PointError(
                "use", printable(path), "it is not an absolute path without . and ..",
                "correct the plan")
        }
        return names
    }

    /// `path` as catalogues have it: one slash before each name.
    static func whole(_ path: [UInt8]) throws -> [UInt8] {
        try names(of: path).flatMap { [UInt8(ascii: "/")] + $0 }
    }

    /// The directory that holds `path`, and the last name. Nil if that directory is missing.
    func parent(of path: [UInt8]) throws -> (directory: Descriptor, name: [UInt8])? {
        let names = try Self.names(of: path)
        var here = directory
        for name in names.dropLast() {
            guard let next = here.open(name, O_RDONLY | O_DIRECTORY) else {
                let code = errno
                if code == ENOENT { return nil }
                if code == ENOTDIR, let found = try here.status(of: name) {
                    let isLink = found.st_mode & S_IFMT == S_IFLNK
                    throw PointError.system("reach", path, isLink ? ELOOP : ENOTDIR)
                }
                throw PointError.system("reach", path, code)
            }
            here = next
        }
        return (here, names[names.count - 1])
    }
}
