import Glibc

/// Whether somebody holds on to a directory itself, so that another one in its place would not reach
/// them: processes that work in it, and mounts of parts of it elsewhere, those of containers too.
///
/// It only looks at `/proc`, so its calls are those of production even while a test watches.
struct TreeUse {
    private let files = StoreFiles("/proc")

    /// True if `directory` or something below it is held, or if that cannot be told.
    func isHeld(_ directory: Descriptor) -> Bool {
        guard let path = target("self/fd/\(directory.raw)"),
            let processes = try? files.names(in: "")
        else { return true }
        var spaces: Set<[UInt8]> = []
        for process in processes where process.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            for link in ["cwd", "root"] {
                guard let place = target("\(process)/\(link)") else { continue }
                if place == path || place.isBelow(path) { return true }
            }
            guard let space = target("\(process)/ns/mnt"), spaces.insert(space).inserted else {
                continue
            }
            if isMounted(path, in: process) { return true }
        }
        return false
    }

    private struct Mount {
        var device: [UInt8]
        /// Which directory of its file system it shows, and where.
        var root: [UInt8]
        var point: [UInt8]
    }

    /// True if a part of `path` is mounted somewhere else in the name space of `process`.
    private func isMounted(_ path: [UInt8], in process: String) -> Bool {
        guard let own = mounts("self"), let others = mounts(process) else { return false }
        // The last that was mounted over a directory on the way is the one that shows.
        let holders = own.filter {
            $0.point == [0x2F] || $0.point == path || path.isBelow($0.point)
        }
        guard
            let holder = holders.enumerated().max(by: {
                ($0.element.point.count, $0.offset) < ($1.element.point.count, $1.offset)
            })?.element
        else { return true }
        let rest = holder.point == [0x2F] ? path[...] : path[holder.point.count...]
        let inside = (holder.root == [0x2F] ? [] : holder.root) + rest
        return others.contains {
            $0.device == holder.device && ($0.root == inside || $0.root.isBelow(inside))
        }
    }

    /// The lines of `mountinfo`; spaces in paths stay as they are written there, `\040`.
    private func mounts(_ process: String) -> [Mount]? {
        guard let file = try? files.open("\(process)/mountinfo", O_RDONLY) else { return nil }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = room.withUnsafeMutableBytes {
                Glibc.read(file.raw, $0.baseAddress, $0.count)
            }
            if count <= 0 { break }
            bytes += room[..<count]
        }
        return bytes.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x20, maxSplits: 5)
            guard fields.count == 6 else { return nil }
            return Mount(
                device: Array(fields[2]), root: Array(fields[3]), point: Array(fields[4]))
        }
    }

    private func target(_ name: String) -> [UInt8]? {
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = files.calls.readlinkat(AT_FDCWD, files.path(of: name), &room, room.count)
        return count < 0 ? nil : room.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
