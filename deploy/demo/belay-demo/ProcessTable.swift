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
            let program = line.split(separator: "\0").first.map(String.init) ?? ""
            let isOurs =
                program.hasSuffix("/registry") || program.hasSuffix("belay-agent")
                || program.hasSuffix("belay-coordinator")
            return isOurs && line.contains(directory + "/")
        }
    }

    private static func end(_ pid: pid_t) {
        guard kill(pid, SIGTERM) == 0 else { return }
        for _ in 0..<300 where kill(pid, 0) == 0 {
            waitpid(pid, nil, WNOHANG)
            usleep(10_000)
        }
        kill(pid, SIGKILL)
        waitpid(pid, nil, WNOHANG)
    }
}
