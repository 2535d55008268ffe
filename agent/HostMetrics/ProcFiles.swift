import Glibc

/// Reads the files of procfs. Each function gives what it found; a file that is missing or
/// ill-formed gives nothing.
struct ProcFiles {
    private static let bytesMax = 1 << 20

    let folder: String

    /// `/proc/stat`: times of all CPUs, and how many processes run.
    func cpu() -> (times: CPUTimes, running: Double?)? {
        var times: CPUTimes?
        var running: Double?
        for words in lines("stat") {
            if words[0] == "cpu", words.count >= 5 {
                // user nice system idle iowait irq softirq steal; guest is in user already.
                let ticks = words.dropFirst().prefix(8).compactMap { Self.number($0) }
                guard ticks.count == min(8, words.count - 1) else { continue }
                let total = ticks.reduce(0, +)
                let idle = ticks[3] + (ticks.count > 4 ? ticks[4] : 0)
                times = CPUTimes(busy: total - idle, total: total)
            } else if words[0] == "procs_running", words.count == 2 {
                running = Self.number(words[1])
            }
        }
        return times.map { ($0, running) }
    }

    func load() -> [String: Double] {
        guard let words = lines("loadavg").first, words.count >= 4 else { return [:] }
        var samples: [String: Double] = [:]
        for (index, name) in ["1", "5", "15"].enumerated() {
            samples["belay_host_load\(name)"] = Self.number(words[index])
        }
        let counts = words[3].split(separator: "/")
        if counts.count == 2 { samples["belay_host_processes"] = Self.number(counts[1]) }
        return samples
    }

    func memory() -> [String: Double] {
        let names = [
            "MemTotal:": "belay_host_memory_total_bytes",
            "MemAvailable:": "belay_host_memory_available_bytes",
            "SwapTotal:": "belay_host_swap_total_bytes",
            "SwapFree:": "belay_host_swap_free_bytes",
        ]
        var samples: [String: Double] = [:]
        for words in lines("meminfo") where words.count == 3 && words[2] == "kB" {
            guard let name = names[words[0]], let value = Self.number(words[1]) else { continue }
            samples[name] = value * 1024
        }
        return samples
    }

    /// `/proc/pressure/*`: the share of the last ten seconds in which some or all tasks waited.
    func pressure() -> [String: Double] {
        var samples: [String: Double] = [:]
        for resource in ["cpu", "memory", "io"] {
            for words in lines("pressure/\(resource)") where words.count >= 2 {
                guard words[0] == "some" || words[0] == "full", words[1].hasPrefix("avg10="),
                    let percent = Self.number(words[1].dropFirst(6)), percent <= 100
                else { continue }
                samples["belay_host_pressure_\(resource)_\(words[0])_avg10_ratio"] = percent / 100
            }
        }
        return samples
    }

    /// `/proc/diskstats`: whole disks only, so that nothing counts twice.
    func disks() -> [String: Double] {
        // The kernel counts sectors of 512 bytes here, whatever the disk's own are.
        let sector = 512.0
        var read: Double?
        var written: Double?
        for words in lines("diskstats") where words.count >= 14 && Self.isWholeDisk(words[2]) {
            guard let reads = Self.number(words[5]), let writes = Self.number(words[9]) else {
                continue
            }
            read = (read ?? 0) + reads * sector
            written = (written ?? 0) + writes * sector
        }
        return Self.present([
            "belay_host_disk_read_bytes_total": read,
            "belay_host_disk_written_bytes_total": written,
        ])
    }

    /// `/proc/net/dev`: all interfaces but `lo`.
    func network() -> [String: Double] {
        var received: Double?
        var sent: Double?
        for line in text("net/dev").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let name = parts[0].drop { $0 == " " }
            let words = parts[1].split(separator: " ")
            guard name != "lo", words.count >= 16, let bytesIn = Self.number(words[0]),
                let bytesOut = Self.number(words[8])
            else { continue }
            received = (received ?? 0) + bytesIn
            sent = (sent ?? 0) + bytesOut
        }
        return Self.present([
            "belay_host_network_received_bytes_total": received,
            "belay_host_network_sent_bytes_total": sent,
        ])
    }

    func uptime() -> [String: Double] {
        guard let words = lines("uptime").first, let seconds = Self.number(words[0]) else {
            return [:]
        }
        return ["belay_host_uptime_seconds": seconds]
    }

    private static func present(_ values: [String: Double?]) -> [String: Double] {
        values.compactMapValues { $0 }
    }

    /// True for sda, vdb, xvda, nvme0n1 and mmcblk0; false for partitions, loop, ram, dm and md.
    private static func isWholeDisk(_ name: String) -> Bool {
        if name.hasPrefix("nvme") || name.hasPrefix("mmcblk") {
            return !name.dropFirst(4).contains("p")
        }
        return ["sd", "vd", "hd", "xvd"].contains { name.hasPrefix($0) }
            && name.last?.isNumber == false
    }

    /// A number that is not negative.
    private static func number(_ text: some StringProtocol) -> Double? {
        guard let value = Double(text), value.isFinite, value >= 0 else { return nil }
        return value
    }

    /// The words of each line that has any.
    private func lines(_ name: String) -> [[String]] {
        text(name).split(separator: "\n")
            .map { $0.split { $0 == " " || $0 == "\t" }.map(String.init) }.filter { !$0.isEmpty }
    }

    private func text(_ name: String) -> String {
        let file = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while bytes.count < Self.bytesMax {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
