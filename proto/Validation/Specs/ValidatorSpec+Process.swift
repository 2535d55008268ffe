import FleetWire

extension ValidatorSpec {
    /// Processes that run.
    package static let process = ValidatorSpec(
        id: "process", category: .service,
        summary: "A program runs, as often and as whom it should.",
        parameters: ValidatorParameter.processTarget + [
            .optional(
                "count_min", .integer(0...Int.max), threshold: .fail,
                "It fails with fewer processes; 1 if neither this nor a lower `count_max` is given."
            ),
            .optional(
                "count_max", .integer(0...Int.max), threshold: .fail, "It fails with more."),
            .optional("count_warn", .integer(0...Int.max), threshold: .warn, "It warns with more."),
            .optional("user", .text, "Name or number of the user that each must run as."),
        ],
        rules: [
            .exactlyOne(ValidatorParameter.processTargetNames, what: "processes"),
            .ascending("count_min", "count_max"),
        ],
        notes: "Processes that have ended and wait for their parent are not counted.")
}
