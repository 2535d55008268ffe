import Glibc

/// Waits until what was written before is on the disks, so that no timed part pays for it.
enum Stillness {
    /// Bytes that may still be written in a look without counting as work that is under way.
    private static let quietBytes = 1 << 20
    private static let lookMicroseconds: UInt32 = 200_000
    /// A machine on which others write never falls silent; this many looks at most.
    private static let looksMax = 15

    /// Syncs all file systems and waits until the disks are quiet, at most three seconds longer.
    static func wait() throws {
        sync()
        var before = written()
        for _ in 0..<looksMax {
            usleep(lookMicroseconds)
            try Interruption.check()
            let now = written()
            if now - before <= quietBytes { return }
            before = now
        }
    }

    /// Bytes that were written to all block devices since the machine started.
    private static func written() -> Int {
        bytesWritten(TextFile.read("/proc/diskstats") ?? "")
    }

    /// The tenth field of proc_diskstats(5) is sectors of 512 bytes; discards are its 17th.
    static func bytesWritten(_ text: String) -> Int {
        text.split(separator: "\n").reduce(0) { sum, line in
            let fields = line.split(separator: " ")
            guard fields.count >= 10 else { return sum }
            let discarded = fields.count > 16 ? Int(fields[16]) ?? 0 : 0
            return sum + ((Int(fields[9]) ?? 0) + discarded) * 512
        }
    }
}
