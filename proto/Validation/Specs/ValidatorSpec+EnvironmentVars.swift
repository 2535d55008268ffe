import FleetWire

extension ValidatorSpec {
    /// Variables of an environment, by their names.
    package static let environmentVars = ValidatorSpec(
        id: "environment_vars", category: .configuration,
        summary:
            "A service's environment has the variables that it needs, and none that it must not.",
        parameters: ValidatorParameter.processTarget + [
            .optional("file", .path, "A file of lines `NAME=VALUE` (systemd's EnvironmentFile)."),
            .optional("required", .list(.text), "Names that must be there and not be empty."),
            .optional("recommended", .list(.text), "Names without which it warns."),
            .optional("forbidden", .list(.text), "Names that must not be there."),
        ],
        rules: [
            .exactlyOne(ValidatorParameter.processTargetNames + ["file"], what: "an environment"),
            .atLeastOne(["required", "recommended", "forbidden"]),
        ],
        notes: "Only names are looked at and shown, and whether the value is empty.")
}
