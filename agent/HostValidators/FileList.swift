import FleetWire
import Glibc
import HostProcesses

/// Regular files of a check, found without following symbolic links.
struct FileList {
    /// More are not looked at.
    static let countMax = 10_000
    private static let depthMax = 64

    /// Paths, and what lstat(2) says of them.
    private(set) var files: [(path: String, status: stat)] = []
    private(set) var folders: [(path: String, status: stat)] = []
    /// Paths that are not there.
    private(set) var missing: [String] = []
    /// Why something could not be looked at, one sentence each.
    private(set) var obstacles: [String] = []

    init(_ paths: [String], isWanted: (String) -> Bool = { _ in true }) {
        for path in paths { walk(path, depth: 0, isWanted) }
        if files.count > Self.countMax {
            obstacles.append("there are more than \(Self.countMax) files")
        }
    }

    private mutating func walk(_ path: String, depth: Int, _ isWanted: (String) -> Bool) {
        guard files.count <= Self.countMax else { return }
        var status = stat()
        // What is named may be a link; what is found in a folder is not followed.
        guard (depth == 0 ? stat(path, &status) : lstat(path, &status)) == 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR {
                if depth == 0 { missing.append(path) }
            } else {
                obstacles.append("\(path): \(errorText(code))")
            }
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: if isWanted(path) { files.append((path, status)) }
        case S_IFDIR:
            folders.append((path, status))
            guard depth < Self.depthMax, let directory = opendir(path) else {
                obstacles.append("\(path) cannot be listed")
                return
            }
            defer { closedir(directory) }
            var names: [String] = []
            while let entry = readdir(directory) {
                names.append(
                    withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                    })
            }
            for name in names.sorted() where name != "." && name != ".." {
                walk(path == "/" ? "/" + name : "\(path)/\(name)", depth: depth + 1, isWanted)
            }
        default: break
        }
    }
}
