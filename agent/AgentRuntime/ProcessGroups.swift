import Glibc

/// The process groups of steps: every step leads a group of its own, as a child of the agent.
enum ProcessGroups {
    private struct Entry {
        var parent: Int32
        var group: Int32
        var started: UInt64
    }

    /// Leaders of groups among the agent's children, with the moment at which each started.
    static func leaders(childrenOf agent: Int32) -> [Int32: UInt64] {
        var found: [Int32: UInt64] = [:]
        guard let directory = opendir("/proc") else { return found }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let process = Int32(name), let entry = entry(process), entry.parent == agent,
                entry.group == process
            else { continue }
            found[process] = entry.started
        }
        return found
    }

    /// Ends groups whose leader still is the one that was seen: TERM, then KILL after 2 s.
    static func end(_ groups: [Int32: UInt64]) {
        let alive = groups.filter { entry($0.key)?.started == $0.value }
        for group in alive.keys { kill(-group, SIGTERM) }
        for _ in 0..<20 where alive.contains(where: { entry($0.key)?.started == $0.value }) {
            usleep(100_000)
        }
        for (group, started) in alive where entry(group)?.started == started {
            kill(-group, SIGKILL)
        }
    }

    private static func entry(_ process: Int32) -> Entry? {
        guard let bytes = StateDirectory.read(path: "/proc/\(process)/stat"),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // proc(5): after the name come state (3), parent (4), group (5) … start (22).
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, let parent = Int32(fields[1]), let group = Int32(fields[2]),
            let started = UInt64(fields[19]), fields[0] != "Z"
        else { return nil }
        return Entry(parent: parent, group: group, started: started)
    }
}
