import Glibc

/// What all processors did together, from `/proc/stat`.
struct ProcessorTimes: Sendable {
    /// Seconds in which some process or the kernel was at work.
    let busy: Double
    let processors: Int

    /// Nil where `/proc/stat` is not as proc(5) says.
    static func read() -> ProcessorTimes? {
        TextFile.read("/proc/stat").flatMap {
            parse($0, ticksPerSecond: Double(max(1, sysconf(Int32(_SC_CLK_TCK)))))
        }
    }

    static func parse(_ text: String, ticksPerSecond: Double) -> ProcessorTimes? {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("cpu") }
        guard let first = lines.first, lines.count > 1 else { return nil }
        let fields = first.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard fields.count >= 8 else { return nil }
        // user nice system idle iowait irq softirq steal: all but idle and iowait is work; what the
        // hypervisor took is taken from us as well.
        let ticks = fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]
        return ProcessorTimes(busy: ticks / ticksPerSecond, processors: lines.count - 1)
    }

    /// The share of all processors that others than the timed program used; 0 if it is not known.
    static func share(
        _ before: ProcessorTimes?, _ after: ProcessorTimes?, without own: Double, seconds: Double
    ) -> Double {
        guard let before, let after, seconds > 0 else { return 0 }
        let others = after.busy - before.busy - own
        return min(1, max(0, others / (seconds * Double(after.processors))))
    }
}
