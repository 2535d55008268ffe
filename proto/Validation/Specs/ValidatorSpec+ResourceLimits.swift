import FleetWire

extension ValidatorSpec {
    /// Limits of a process.
    package static let resourceLimits = ValidatorSpec(
        id: "resource_limits", category: .system,
        summary: "The limits of open files and processes are high enough.",
        parameters: ValidatorParameter.processTarget + [
            .optional(
                "nofile_min", .integer(1...Int.max), threshold: .fail,
                "It fails with a lower soft limit of open files."),
            .optional(
                "nofile_warn", .integer(1...Int.max), threshold: .warn, "It warns with a lower one."
            ),
            .optional(
                "nproc_min", .integer(1...Int.max), threshold: .fail,
                "It fails with a lower soft limit of processes."),
            .optional(
                "nproc_warn", .integer(1...Int.max), threshold: .warn, "It warns with a lower one."),
        ],
        rules: [
            .atMostOne(ValidatorParameter.processTargetNames),
            .atLeastOne(["nofile_min", "nofile_warn", "nproc_min", "nproc_warn"]),
            .ascending("nofile_min", "nofile_warn"), .ascending("nproc_min", "nproc_warn"),
        ],
        notes: "Reads /proc/PID/limits of each process that is named, or of the agent if none is; "
            + "unknown if none runs or it may not be read.")
}
