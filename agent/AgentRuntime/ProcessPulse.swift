import Glibc

/// Tells a process that runs from one that stands still: stopped, frozen, or stuck for good.
///
/// A living agent wakes twice a second. Looks are counted, not time, so that a machine that was
/// suspended, and whoever looks with it, takes nobody for frozen.
struct ProcessPulse {
    private var process: Int32 = 0
    private var switches: UInt64 = 0
    private var looks = 0

    /// Looks once; gives how many looks in a row have seen no thread of the process run.
    mutating func look(at process: Int32) -> Int {
        let now = Self.switches(of: process)
        if process == self.process, now == switches {
            looks += 1
        } else {
            (self.process, switches, looks) = (process, now, 0)
        }
        return looks
    }

    /// True if the process was stopped by a signal or a debugger, proc(5) `status`.
    static func isStopped(_ process: Int32) -> Bool {
        guard let status = StateDirectory.read(path: "/proc/\(process)/status") else {
            return false
        }
        return String(decoding: status, as: UTF8.self).split(separator: "\n").contains {
            $0.hasPrefix("State:\tT") || $0.hasPrefix("State:\tt")
        }
    }

    /// How often all its threads together came to run and let go of a processor, proc(5) `status`.
    private static func switches(of process: Int32) -> UInt64 {
        var sum: UInt64 = 0
        guard let listing = opendir("/proc/\(process)/task") else { return 0 }
        defer { closedir(listing) }
        while let item = readdir(listing) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let status = StateDirectory.read(path: "/proc/\(process)/task/\(name)/status")
            else { continue }
            for line in String(decoding: status, as: UTF8.self).split(separator: "\n")
            where line.contains("ctxt_switches:") {
                sum &+= UInt64(line.split(separator: "\t").last ?? "") ?? 0
            }
        }
        return sum
    }
}
