import Glibc

/// Removes names with all they hold; links are removed, never followed, and file systems that are
/// mounted within are an error.
struct TreeRemover {
    private let beforeChange: RestoreHook?

    init(_ beforeChange: RestoreHook?) { self.beforeChange = beforeChange }

    /// Removes `name` of `parent` if it is there.
    func remove(_ parent: Descriptor, _ name: [UInt8], _ path: [UInt8]) throws {
        guard let found = try parent.status(of: name) else { return }
        try remove(parent, name, found, path, depth: 0)
    }

    private func remove(
        _ parent: Descriptor, _ name: [UInt8], _ found: stat, _ path: [UInt8], depth: Int
    ) throws {
        guard found.st_mode & S_IFMT == S_IFDIR else {
            return try change("remove", path) {
                withPath(name) { parent.calls.unlinkat(parent.raw, $0, 0) }
            }
        }
        guard try parent.status().st_dev == found.st_dev else {
            throw PointError(
                "remove", printable(path), "a file system is mounted there", "unmount it")
        }
        if geteuid() != 0, found.st_mode & 0o700 != 0o700 {
            try change("open up", path) {
                withPath(name) { parent.calls.fchmodat(parent.raw, $0, 0o700) }
            }
        }
        guard let directory = parent.open(name, O_RDONLY | O_DIRECTORY) else {
            throw PointError.system("open", path, errno)
        }
        for child in try directory.names() {
            let childPath = path + [UInt8(ascii: "/")] + child
            // Most are files, and a call that fails for a directory is cheaper than a look at each.
            try beforeChange?("remove \(printable(childPath))")
            let code = withPath(child) { directory.calls.unlinkat(directory.raw, $0, 0) }
            if code == 0 || errno == ENOENT { continue }
            guard errno == EISDIR || errno == EPERM else {
                throw PointError.system("remove", childPath, errno)
            }
            guard let status = try directory.status(of: child) else { continue }
            try remove(directory, child, status, childPath, depth: depth + 1)
        }
        try change("remove", path) {
            withPath(name) { parent.calls.unlinkat(parent.raw, $0, AT_REMOVEDIR) }
        }
    }

    private func change(_ what: String, _ path: [UInt8], _ body: () -> Int32) throws {
        try beforeChange?("\(what) \(printable(path))")
        guard body() == 0 || errno == ENOENT else { throw PointError.system(what, path, errno) }
    }
}
