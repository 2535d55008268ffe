import FleetWire

extension ValidatorSpec {
    /// Files of data against a manifest, and tables against what they should hold.
    package static let datasetIntegrity = ValidatorSpec(
        id: "dataset_integrity", category: .data,
        summary: "Datasets have the bytes, rows, columns and types that they should.",
        parameters: [
            .optional(
                "manifest", .path,
                "Lines of `SHA-256  PATH` as sha256sum(1) writes them; paths are of its folder."),
            .optional("sample", .integer(1...Int.max), "So many files of the manifest, not all."),
            .optional(
                "seed", .integer(0...Int.max), standard: .whole(0), "Which sample of that size."),
            .optional(
                "table", .path, "A CSV file with a head, JSON Lines, or a SQLite database."),
            .optional(
                "format", .word(["csv", "jsonl", "sqlite"]),
                "What `table` is; without it, what its name ends with."),
            .optional("name", .text, "The table within a SQLite database."),
            .optional(
                "columns",
                .map(
                    .word(["integer", "number", "text", "boolean", "any"]), of: "columns to types"),
                "Columns that it must have, each value of that type or empty."),
            .optional(
                "rows_min", .integer(0...Int.max), threshold: .fail, "It fails with fewer rows."),
            .optional("rows_max", .integer(0...Int.max), threshold: .fail, "It fails with more."),
            .optional("rows_warn", .integer(0...Int.max), threshold: .warn, "It warns with fewer."),
        ],
        rules: [
            .exactlyOne(["manifest", "table"], what: "a dataset"),
            .ascending("rows_min", "rows_max"),
        ],
        notes: "Size and seed of a sample are told. An empty manifest is unknown; so is a table of "
            + "which nothing is asked. A table without a row fails unless `rows_min` is 0.")
}
