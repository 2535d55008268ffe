import FleetWire

extension ValidatorSpec {
    /// The version that a program says it has.
    package static let runtimeVersion = ValidatorSpec(
        id: "runtime_version", category: .system,
        summary: "The version that a program tells is of a range.",
        parameters: [
            .required(
                "argv", .list(.text), "The program and its arguments, `[python3, --version]`."),
            .optional(
                "after", .text, "What the version stands behind in its output, such as `nginx/`."),
        ] + ValidatorParameter.versionRange,
        rules: [.anyVersion],
        notes: "The version is the first number in what it writes, with all that hangs on it; "
            + "unknown if it writes none, or fails.")
}
