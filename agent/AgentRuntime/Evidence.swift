import FleetWire

/// What is kept of a failure before its undo, as text by topic.
enum Evidence {
    static func lines(_ reason: String, _ found: [CheckResult]) -> [String: String] {
        var lines = ["reason": reason]
        if !found.isEmpty {
            lines["checks"] = found.map {
                "\($0.name) \($0.status.rawValue): \($0.measured)"
            }.joined(separator: "\n")
        }
        for (topic, path) in [("load", "/proc/loadavg"), ("memory", "/proc/meminfo")] {
            let text = String(decoding: StateDirectory.read(path: path) ?? [], as: UTF8.self)
            lines[topic] = text.split(separator: "\n").prefix(5).joined(separator: "\n")
        }
        return lines
    }
}
