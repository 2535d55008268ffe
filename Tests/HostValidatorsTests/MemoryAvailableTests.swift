import FleetWire
import Testing

@Suite struct MemoryAvailableTests {
    private static let kibibyte = 1024

    @Test(arguments: [
        Row("a quarter is enough", [:], .pass, says: "256 MiB of 1.0 GiB available (25.0%)"),
        Row(
            "below the warning", ["percent_warn": .whole(26)], .warn,
            says: "less than percent_warn, 26.0%"),
        Row("below the size to warn", ["bytes_warn": .whole(1 << 29)], .warn, says: "bytes_warn"),
        Row("below the least share", ["percent_min": .whole(30)], .fail, says: "percent_min"),
        Row("below the least size", ["bytes_min": .whole(1 << 29)], .fail, says: "bytes_min"),
        Row(
            "exactly the least size is enough", ["bytes_min": .whole(1 << 28)], .pass),
    ])
    func memoryIsHeldAgainstItsThresholds(_ row: Row) async throws {
        let root = try CheckRoot()
        try root.place(
            "/proc/meminfo", "MemTotal:  1048576 kB\nMemFree: 1 kB\nMemAvailable:  262144 kB\n")
        try await root.expect("memory_available", row)
    }

    @Test(arguments: [
        "", "MemTotal: 1048576 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: 5 kB\nMemAvailable: many kB\n",
    ])
    func whatTheKernelDoesNotTellIsUnknown(_ text: String) async throws {
        let root = try CheckRoot()
        try root.place("/proc/meminfo", text)
        try await root.expect("memory_available", Row("no figures", [:], .unknown))
    }

    @Test func theMachinesOwnMemoryIsFoundWithoutAFileOfTheRoot() async throws {
        let result = try await CheckRoot().validate(
            "memory_available", ["percent_min": .whole(0), "percent_warn": .whole(0)])
        #expect(result.status == .pass && result.measured.contains("GiB available"))
    }
}
