import FleetWire
import Glibc

/// The program that works on the host for the agent, noted in `guard/running` before it begins, so
/// that whoever takes the host back ends it first, even if the agent died the moment after.
struct StepProcess: Codable, Hashable, Sendable {
    /// The file keeps one size, so that one write replaces it: a reader never finds a part.
    private static let noteBytes = 256
    private static let name = "guard/running"
    /// KILL this long after TERM.
    private static let graceLooks = 20

    private struct Status {
        var state: Character
        var started: UInt64
    }

    /// Its process group, which is its leader's id.
    var group: Int32
    /// When its leader started, in ticks since the machine did.
    var started: UInt64
    /// The start of the machine in which both hold.
    var boot: String

    /// Notes a process group that is about to begin. It need not survive the machine, only the
    /// agent, so nothing is synced.
    static func note(_ group: Int32, in state: StateDirectory) {
        guard let status = status(of: group) else { return }
        let process = StepProcess(group: group, started: status.started, boot: HostClock.boot())
        guard var bytes = try? WireJSON.encode(process), bytes.count <= noteBytes else { return }
        bytes += [UInt8](repeating: 0x20, count: noteBytes - bytes.count)
        let file = open(state.file(name), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        pwrite(file, bytes, bytes.count, 0)
        close(file)
    }

    /// Ends the noted program if it still runs; blocks for at most a few seconds.
    static func endNoted(in state: StateDirectory) {
        state.value(StepProcess.self, in: name)?.end()
    }

    /// True if the process is stopped (SIGSTOP, a debugger) and does nothing.
    static func isStopped(_ process: Int32) -> Bool {
        guard let status = status(of: process) else { return false }
        return status.state == "T" || status.state == "t"
    }

    /// TERM to the group if its leader still is the one that was noted, then KILL to what is left.
    private func end() {
        guard group > 1, boot == HostClock.boot(), let status = Self.status(of: group),
            status.started == started, status.state != "Z"
        else { return }
        kill(-group, SIGTERM)
        // A group that was stopped hears TERM only when it goes on.
        kill(-group, SIGCONT)
        // The id stays taken as long as the group has a member.
        for _ in 0..<Self.graceLooks where kill(-group, 0) == 0 { usleep(100_000) }
        kill(-group, SIGKILL)
        for _ in 0..<Self.graceLooks where Self.status(of: group)?.started == started {
            if Self.status(of: group)?.state == "Z" { return }
            usleep(50_000)
        }
    }

    private static func status(of process: Int32) -> Status? {
        guard let bytes = StateDirectory.read(path: "/proc/\(process)/stat"),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // proc(5): after the name come state (3) … start (22).
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let started = UInt64(fields[19])
        else { return nil }
        return Status(state: state, started: started)
    }
}
