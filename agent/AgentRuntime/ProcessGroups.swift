import Glibc

/// The process groups that the agent started for steps, services and checks, noted in files so that
/// whoever takes the host back after the agent's death ends what it left running.
///
/// A note is `guard/groups/PID` and holds the moment at which the leader started, in ticks since the
/// machine's start. It is not synced: after a reboot there is nothing to end.
package struct ProcessGroups: Sendable {
    /// Notes kept before those of ended leaders are removed.
    private static let notesMax = 64
    private static let termWithin = 20

    private let directory: String

    /// The notes of a state directory.
    package init(_ state: StateDirectory) { directory = state.file("guard/groups") }

    /// Notes a group by its leader, which was just started by this process.
    package func note(_ leader: Int32) {
        guard let started = Self.started(leader) else { return }
        prune()
        let path = "\(directory)/\(leader)"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let text = Array(String(started).utf8)
        write(file, text, text.count)
    }

    /// Ends every noted group whose leader still runs, and forgets all: TERM, then KILL after 2 s.
    /// What a leader that ended by itself left behind is a service and is left alone.
    /// Blocks the thread. Gives the leaders of the groups that were ended.
    @discardableResult
    package func end() -> [Int32] {
        let noted = notes()
        let alive = noted.filter { Self.started($0.key) == $0.value }.keys.sorted()
        for group in alive { kill(-group, SIGTERM) }
        // The leader's number stays taken as long as its group has a member.
        for _ in 0..<Self.termWithin where alive.contains(where: { kill(-$0, 0) == 0 }) {
            usleep(100_000)
        }
        for group in alive where kill(-group, 0) == 0 { kill(-group, SIGKILL) }
        for leader in noted.keys { unlink("\(directory)/\(leader)") }
        return alive
    }

    private func prune() {
        let noted = notes()
        guard noted.count >= Self.notesMax else { return }
        for (leader, started) in noted where Self.started(leader) != started {
            unlink("\(directory)/\(leader)")
        }
    }

    private func notes() -> [Int32: UInt64] {
        var found: [Int32: UInt64] = [:]
        guard let listing = opendir(directory) else { return found }
        defer { closedir(listing) }
        while let item = readdir(listing) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let leader = Int32(name), leader > 1,
                let text = StateDirectory.read(path: "\(directory)/\(name)"),
                let started = UInt64(String(decoding: text, as: UTF8.self))
            else { continue }
            found[leader] = started
        }
        return found
    }

    /// When a process that leads its group started; nil if it ended or leads none.
    private static func started(_ process: Int32) -> UInt64? {
        guard let bytes = StateDirectory.read(path: "/proc/\(process)/stat"),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // proc(5): after the name come state (3), parent (4), group (5) … start (22).
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, Int32(fields[2]) == process, fields[0] != "Z" else { return nil }
        return UInt64(fields[19])
    }
}
