import FoundationEssentials
import Glibc

/// What `/proc` says of processes.
enum ProcessTable {
    /// When a process started, in ticks since boot: tells it from a later one with its id.
    static func startTime(of pid: pid_t) -> String? {
        guard let text = TextFile.read("/proc/\(pid)/stat"),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : nil
    }

    /// Whether a process runs; one that has ended and that nobody has waited for does not.
    static func isAlive(_ pid: pid_t) -> Bool {
        waitpid(pid, nil, WNOHANG)
        guard let text = TextFile.read("/proc/\(pid)/stat"),
            let end = text.lastIndex(of: ")")
        else { return false }
        return text[end...].split(separator: " ").dropFirst().first != "Z"
    }

    /// Ends the processes of a ledger that are still the same ones, then what they left behind.
    static func end(ledger: String, below directory: String) {
        for line in (TextFile.read(ledger) ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 2, let pid = pid_t(String(fields[0])),
                startTime(of: pid) == String(fields[1])
            else { continue }
            end(pid)
        }
        for pid in descendants(of: directory) { end(pid) }
    }

    /// Processes whose command line names a path of the demo's folder: services and guards, which
    /// have left the sessions of those that started them.
    private static func descendants(of directory: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            guard pid != getpid(), let line = TextFile.read("/proc/\(pid)/cmdline") else {
                return false
            }
            guard line.contains(directory + "/") else { return false }
            // An agent starts its guard as /proc/self/exe, so the command line names no program.
            let program =
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe"))
                ?? ""
            let name = program.replacing(" (deleted)", with: "").split(separator: "/").last
            return ["registry", "belay-agent", "belay-coordinator", "belay"].contains(name)
        }
    }

    private static func end(_ pid: pid_t) {
        guard kill(pid, SIGTERM) == 0 else { return }
        for _ in 0..<300 where isAlive(pid) { usleep(10_000) }
        if isAlive(pid) { kill(pid, SIGKILL) }
    }
}
