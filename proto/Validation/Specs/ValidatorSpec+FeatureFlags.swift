import FleetWire

extension ValidatorSpec {
    /// Values of feature flags.
    package static let featureFlags = ValidatorSpec(
        id: "feature_flags", category: .flags,
        summary: "Flags have the values that they should, in the file and in the application.",
        parameters: [
            .required(
                "flags", .map(.text, of: "flags to values"),
                "The value of each flag: the name of its default variant, or that variant's value."),
            .optional("file", .path, "The flag definitions of flagd (flagd.dev)."),
            .optional(
                "url", .text,
                "Where the application tells its flags: a JSON object of names and values, or one "
                    + "whose member `flags` is that."),
            .optional(
                "variant_warn", .boolean, standard: .flag(true), threshold: .warn,
                "Whether it warns if a flag of the file has targeting rules, which can give others "
                    + "another value."),
        ],
        rules: [.atLeastOne(["file", "url"])],
        notes: "A flag that is disabled, missing, or another value fails; an application that does "
            + "not answer is unknown.")
}
