extension ValidatorSpec {
    /// The integrity of a SQLite database.
    package static let sqliteIntegrity = ValidatorSpec(
        id: "sqlite_integrity", category: .storage, summary: "Integrity of a database.",
        parameters: [
            .required("path", .path, "The database file."),
            .optional(
                "user_version", .integer(0...Int(Int32.max)), "What user_version must be."),
        ])
}
