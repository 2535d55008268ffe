import FleetWire

extension ValidatorSpec {
    /// Memory that programs can still get.
    package static let memoryAvailable = ValidatorSpec(
        id: "memory_available", category: .system,
        summary: "Memory that programs can get without swapping.",
        parameters: [
            .optional("bytes_min", .bytes, threshold: .fail, "It fails below this."),
            .optional(
                "percent_min", .percent, standard: .whole(5), threshold: .fail,
                "It fails below this, of all."),
            .optional("bytes_warn", .bytes, threshold: .warn, "It warns below this."),
            .optional(
                "percent_warn", .percent, standard: .whole(10), threshold: .warn,
                "It warns below this, of all."),
        ],
        rules: [
            .ascending("bytes_min", "bytes_warn"), .ascending("percent_min", "percent_warn"),
        ],
        notes: "Reads MemAvailable of /proc/meminfo; unknown if the kernel does not tell it.")
}
