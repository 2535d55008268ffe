import FleetWire

extension ValidatorSpec {
    /// Modes of all files of a configuration.
    package static let configPermissions = ValidatorSpec(
        id: "config_permissions", category: .configuration,
        summary: "No file of a configuration has more rights, or other owners, than it should.",
        parameters: [
            .required("paths", .list(.path), "Files, and folders of which all files are meant."),
            .optional("suffixes", .list(.text), "Only files whose names end so, such as `.yaml`."),
            .optional(
                "mode_max", .text, standard: .text("0644"), threshold: .fail,
                "It fails if a file's mode has a bit that this has not."),
            .optional(
                "mode_warn", .text, threshold: .warn,
                "It warns if a file's mode has a bit that this has not."),
            .optional(
                "owners", .list(.text), "Names or numbers of users; each file is one's of them."),
            .optional(
                "groups", .list(.text), "Names or numbers of groups; each file is one's of them."),
        ],
        notes: "Symbolic links are not followed. A folder that everybody may write fails too, "
            + "unless it is sticky. Unknown if no file was looked at, or there are more than 10,000."
    )
}
