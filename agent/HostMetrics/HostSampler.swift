import Glibc

/// Samples of this host, from procfs. Names and units are those of Prometheus: base units, `_total`
/// for counters since boot, `_ratio` for fractions from 0 to 1.
package struct HostSampler {
    private let procfs: ProcFiles
    private let root: String
    private var cpuBefore: CPUTimes?

    /// A sampler that reads below `procfs`; `root` is the path whose file system is measured.
    package init(procfs: String = "/proc", root: String = "/") {
        self.procfs = ProcFiles(folder: procfs)
        self.root = root
    }

    /// The present values by metric name. A source that is missing or ill-formed gives no sample.
    /// `belay_host_cpu_busy_ratio` is the mean since the sample before, so the first has none.
    package mutating func sample() -> [String: Double] {
        var samples = procfs.load().merging(procfs.memory()) { first, _ in first }
        for more in [procfs.pressure(), procfs.disks(), procfs.network(), procfs.uptime(), space()]
        {
            samples.merge(more) { first, _ in first }
        }
        if let (times, running) = procfs.cpu() {
            if let running { samples["belay_host_processes_running"] = running }
            if let before = cpuBefore, let busy = times.busyRatio(since: before) {
                samples["belay_host_cpu_busy_ratio"] = busy
            }
            cpuBefore = times
        }
        return samples.filter { $0.value.isFinite }
    }

    private func space() -> [String: Double] {
        var status = statvfs()
        guard statvfs(root, &status) == 0 else { return [:] }
        let unit = Double(status.f_frsize)
        return [
            "belay_host_filesystem_size_bytes": Double(status.f_blocks) * unit,
            "belay_host_filesystem_available_bytes": Double(status.f_bavail) * unit,
            "belay_host_filesystem_used_bytes":
                (Double(status.f_blocks) - Double(status.f_bfree)) * unit,
        ]
    }
}

/// Times of all CPUs since boot, in ticks.
struct CPUTimes {
    let busy: Double
    let total: Double

    /// The fraction of time that was busy since `earlier`; nil if no time passed or it ran back.
    func busyRatio(since earlier: CPUTimes) -> Double? {
        let span = total - earlier.total
        let worked = busy - earlier.busy
        guard span > 0, worked >= 0 else { return nil }
        return min(1, worked / span)
    }
}
