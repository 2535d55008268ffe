import Glibc

/// What the agent finds on its host.
package enum HostFacts {
    /// `kernel`, `arch`, `hostname`, `memory_bytes`, `cores`, `os`.
    package static func gather() -> [String: String] {
        var facts: [String: String] = [:]
        facts["kernel"] = line("/proc/sys/kernel/osrelease")
        facts["hostname"] = line("/proc/sys/kernel/hostname")
        #if arch(x86_64)
            facts["arch"] = "x86_64"
        #elseif arch(arm64)
            facts["arch"] = "aarch64"
        #endif
        facts["cores"] = String(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        facts["memory_bytes"] = String(
            Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))))
        for row in text("/etc/os-release").split(separator: "\n")
        where row.hasPrefix("PRETTY_NAME=") {
            facts["os"] = row.dropFirst(12).filter { $0 != "\"" }
        }
        return facts
    }

    private static func text(_ path: String) -> String {
        String(decoding: StateDirectory.read(path: path) ?? [], as: UTF8.self)
    }

    private static func line(_ path: String) -> String? {
        text(path).split(separator: "\n").first.map(String.init)
    }
}
