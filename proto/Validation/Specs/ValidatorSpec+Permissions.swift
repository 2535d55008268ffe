extension ValidatorSpec {
    /// Owner, group and mode of a file.
    package static let permissions = ValidatorSpec(
        id: "permissions", category: .security,
        summary: "Owner, group and mode of a file or folder, and what a user may do with it.",
        parameters: [
            .required("path", .path, "The file or folder; a symbolic link is followed."),
            .optional("owner", .text, "Name or number of its owner."),
            .optional("group", .text, "Name or number of its group."),
            .optional("mode", .text, "Its mode in octal digits, such as \"0640\"."),
            .optional(
                "mode_max", .text, threshold: .fail,
                "It fails if the mode has a bit that this has not, such as \"0640\"."),
            .optional(
                "mode_warn", .text, threshold: .warn,
                "It warns if the mode has a bit that this has not."),
            .optional("writable_by", .text, "A user who must be able to write it."),
            .optional("not_writable_by", .text, "A user who must not be able to write it."),
        ],
        rules: [
            .atLeastOne([
                "owner", "group", "mode", "mode_max", "mode_warn", "writable_by",
                "not_writable_by",
            ]), .atMostOne(["mode", "mode_max"]),
        ],
        notes: "Rights of users are reckoned from owner, group and mode of the file and of the "
            + "folders above it; unknown if an access control list may say otherwise.")
}
