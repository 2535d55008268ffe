import FoundationEssentials
import HostMetrics
import Testing

/// A procfs tree of our own under /tmp.
private final class ProcTree {
    let path = "/tmp/belay-proc-\(UInt64.random(in: 0 ... .max))"
    init(_ files: [String: String]) throws {
        for folder in ["", "/net", "/pressure"] {
            try FileManager.default.createDirectory(
                atPath: path + folder, withIntermediateDirectories: true)
        }
        for (name, text) in files { try write(name, text) }
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }
}

@Suite struct HostSamplerTests {
    private static let files = [
        "stat": "cpu  100 0 50 800 50 0 0 0 7 0\ncpu0 1 2 3 4\nprocs_running 3\n",
        "loadavg": "0.50 1.25 2.00 2/345 6789\n",
        "meminfo": "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\nSwapTotal: 0 kB\n",
        "pressure/cpu": "some avg10=12.50 avg60=1.00 avg300=0.00 total=1\n",
        "pressure/io":
            "some avg10=1.00 avg60=0 avg300=0 total=1\nfull avg10=0.50 avg60=0 avg300=0 total=1\n",
        "diskstats": """
           8 0 sda 1 2 10 4 5 6 20 8 9 10 11
           8 1 sda1 1 2 9 4 5 6 19 8 9 10 11
         259 0 nvme0n1 1 2 1 4 5 6 2 8 9 10 11
         259 1 nvme0n1p1 1 2 1 4 5 6 2 8 9 10 11
           7 0 loop0 1 2 7 4 5 6 7 8 9 10 11

        """,
        "net/dev": """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
            lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
          eth0: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0
         wlan0:7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0

        """,
        "uptime": "1234.56 7890.12\n",
    ]

    @Test func aTreeGivesEveryMetric() throws {
        let tree = try ProcTree(Self.files)
        var sampler = HostSampler(procfs: tree.path, root: "/tmp")
        let first = sampler.sample()
        #expect(first["belay_host_cpu_busy_ratio"] == nil)
        try tree.write("stat", "cpu  125 0 50 850 75 0 0 0 9 0\nprocs_running 3\n")
        let samples = sampler.sample()
        let expected: [String: Double] = [
            "belay_host_cpu_busy_ratio": 0.25, "belay_host_processes_running": 3,
            "belay_host_load1": 0.5, "belay_host_load5": 1.25, "belay_host_load15": 2,
            "belay_host_processes": 345, "belay_host_memory_total_bytes": 1_024_000,
            "belay_host_memory_available_bytes": 409_600, "belay_host_swap_total_bytes": 0,
            "belay_host_pressure_cpu_some_avg10_ratio": 0.125,
            "belay_host_pressure_io_some_avg10_ratio": 0.01,
            "belay_host_pressure_io_full_avg10_ratio": 0.005,
            "belay_host_disk_read_bytes_total": 11 * 512,
            "belay_host_disk_written_bytes_total": 22 * 512,
            "belay_host_network_received_bytes_total": 107,
            "belay_host_network_sent_bytes_total": 208, "belay_host_uptime_seconds": 1234.56,
        ]
        for (name, value) in expected { #expect(samples[name] == value, "\(name)") }
        #expect((samples["belay_host_filesystem_size_bytes"] ?? 0) > 0)
        #expect(samples.count == expected.count + 3)
    }

    @Test func illFormedFilesGiveNoSampleAndNeverCrash() throws {
        let texts = [
            "", "\n", "cpu", "cpu a b c d e", "cpu -1 nan inf 4 5", "x", "MemTotal: x kB",
            "MemTotal:", "1", "/ / / /", "some avg10=", "some avg10=999", "eth0:", "\0\u{FF}",
            String(repeating: "9", count: 400), String(repeating: "y z q x zz ", count: 3000),
        ]
        for text in texts {
            let tree = try ProcTree([:])
            for name in Self.files.keys { try tree.write(name, text) }
            var sampler = HostSampler(procfs: tree.path, root: "/no/such/path")
            _ = sampler.sample()
            let samples = sampler.sample().filter { $0.key != "belay_host_uptime_seconds" }
            #expect(samples.isEmpty, "\(text.prefix(20)): \(samples)")
        }
        var missing = HostSampler(procfs: "/no/such/path", root: "/no/such/path")
        #expect(missing.sample().isEmpty)
    }

    @Test func aClockOfCPUsThatRanBackGivesNoRatio() throws {
        let tree = try ProcTree(["stat": "cpu 100 0 0 100 0\n"])
        var sampler = HostSampler(procfs: tree.path)
        _ = sampler.sample()
        try tree.write("stat", "cpu 1 0 0 1 0\n")
        #expect(sampler.sample()["belay_host_cpu_busy_ratio"] == nil)
    }

    @Test func thisHostGivesSamples() {
        var sampler = HostSampler()
        let samples = sampler.sample()
        #expect((samples["belay_host_memory_total_bytes"] ?? 0) > 0)
        #expect((samples["belay_host_uptime_seconds"] ?? 0) > 0)
    }
}
