import FleetWire

extension ValidatorSpec {
    /// A score of several checks.
    package static let migrationReadiness = ValidatorSpec(
        id: "migration_readiness", category: .data,
        summary: "The weighted score of several checks is high enough to migrate.",
        parameters: [
            .required(
                "checks", .list(.json),
                "Checks as in plans; each may have a `weight`, a whole number from 1, which is 1."),
            .optional(
                "score_min", .number(0...100), standard: .whole(80), threshold: .fail,
                "It fails below this score."),
            .optional(
                "score_warn", .number(0...100), standard: .whole(95), threshold: .warn,
                "It warns below this score."),
        ],
        rules: [.ascending("score_min", "score_warn"), .weightedChecks("checks")],
        notes: "The score is the weight of what passed, of 100. A warning counts half; a failure, "
            + "unknown and not applicable count nothing. A critical check that fails fails it all, "
            + "one that is unknown makes it unknown, unless it says `on_unknown: warn`.")
}
