import FleetWire

extension ValidatorSpec {
    /// Secrets in clear.
    package static let sensitiveData = ValidatorSpec(
        id: "sensitive_data", category: .security,
        summary: "No secret stands in files that everybody may read, or where none should stand.",
        parameters: [
            .optional("paths", .list(.path), "Files, and folders of which all files are read.")
        ] + ValidatorParameter.processTarget + [
            .optional(
                "private", .word(["pass", "warn", "fail"]), standard: .text("warn"),
                "What a secret is in a file that not everybody may read, and in an environment."),
            .optional(
                "entropy_min", .number(0...8), standard: .number(4.2),
                "Bits for each sign from which a long word is taken for a random secret."),
            .optional("allow", .list(.path), "Files whose secrets are known and meant."),
        ],
        rules: [
            .atLeastOne(["paths"] + ValidatorParameter.processTargetNames),
            .atMostOne(ValidatorParameter.processTargetNames),
        ],
        notes: "Finds private keys, values of keys such as `password`, tokens, passwords in URLs, "
            + "AWS keys, and random words of 24 signs or more. Only file, line and kind are shown. "
            + "Unknown if nothing was read, a file is larger than 1 MiB, or there are more than "
            + "10,000. Files that are no text are passed over and counted.")
}
