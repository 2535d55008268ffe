import FleetWire

extension ValidatorSpec {
    /// A computation against a golden file.
    package static let featureComputation = ValidatorSpec(
        id: "feature_computation", category: .compatibility,
        summary: "A program still computes what a golden file says, numbers within a tolerance.",
        parameters: [
            .required("argv", .list(.text), "The program and its arguments."),
            .required("golden", .path, "What it must write on its standard output and error."),
            .optional(
                "absolute", .number(0...Double.greatestFiniteMagnitude), standard: .whole(0),
                "Numbers that differ by no more than this are equal."),
            .optional(
                "relative_max", .number(0...1), standard: .number(1e-9), threshold: .fail,
                "It fails if numbers differ by a larger share of the larger one."),
            .optional(
                "relative_warn", .number(0...1), threshold: .warn,
                "It warns if they differ by more."),
        ],
        rules: [.ascending("relative_warn", "relative_max")],
        notes:
            "Both are cut into numbers and other words; words must be equal. An empty golden file "
            + "is unknown, since nothing would be compared.")
}
