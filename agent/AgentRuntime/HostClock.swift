package import FleetWire
import Glibc

/// The host's clocks.
package enum HostClock {
    /// Wall-clock time.
    package static func now() -> Timestamp { Timestamp(milliseconds: read(CLOCK_REALTIME)) }

    /// Milliseconds since the machine started, suspended time included; no one can set it.
    package static func sinceBoot() -> Int64 { read(CLOCK_BOOTTIME) }

    /// The kernel's name for this start of the machine.
    package static func boot() -> String {
        let bytes = StateDirectory.read(path: "/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Time that only goes forward: the wall clock at the start, then the monotonic one.
struct SteadyClock: Sendable {
    private let wall = HostClock.now()
    private let start = HostClock.sinceBoot()
    var now: Timestamp { wall + Milliseconds(HostClock.sinceBoot() - start) }
}
