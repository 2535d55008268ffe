import FleetWire

extension ValidatorSpec {
    /// Processors, memory, architecture and kernel.
    package static let systemRequirements = ValidatorSpec(
        id: "system_requirements", category: .system,
        summary: "The machine has the processors, memory, architecture and kernel that are needed.",
        parameters: [
            .optional(
                "cores_min", .integer(1...65536), threshold: .fail,
                "It fails with fewer processors."),
            .optional(
                "cores_warn", .integer(1...65536), threshold: .warn, "It warns with fewer."),
            .optional("memory_min", .bytes, threshold: .fail, "It fails with less memory in all."),
            .optional("memory_warn", .bytes, threshold: .warn, "It warns with less."),
            .optional(
                "architecture", .list(.text), "The machine is one of these, as `uname -m` says."),
            .optional("kernel_min", .text, threshold: .fail, "It fails with an older kernel."),
        ],
        rules: [
            .atLeastOne([
                "cores_min", "cores_warn", "memory_min", "memory_warn", "architecture",
                "kernel_min",
            ]),
            .ascending("cores_min", "cores_warn"), .ascending("memory_min", "memory_warn"),
        ],
        notes: "Reads /proc/cpuinfo, MemTotal of /proc/meminfo, uname(2) and "
            + "/proc/sys/kernel/osrelease.")
}
