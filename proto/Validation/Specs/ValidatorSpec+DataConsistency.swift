import FleetWire

extension ValidatorSpec {
    /// Two sources of the same data.
    package static let dataConsistency = ValidatorSpec(
        id: "data_consistency", category: .data,
        summary: "Two sources hold the same records: as many, and with the same content.",
        parameters: [
            .required("left", .object(source, what: "a source"), "One source."),
            .required("right", .object(source, what: "a source"), "The other one."),
            .optional(
                "ordered", .boolean, standard: .flag(false),
                "Whether they must come in the same order."),
            .optional(
                "count_min", .integer(0...Int.max), standard: .whole(1), threshold: .fail,
                "It fails with fewer records on either side."),
            .optional(
                "count_difference_warn", .integer(0...Int.max), threshold: .warn,
                "It warns, rather than fails, if only counts differ, by no more than this."),
        ],
        notes:
            "A record is a line of a file or of a program's output, or a row of a query. Records "
            + "are counted and compared by the sum of their SHA-256.")

    private static let source: [ValidatorParameter] = [
        .optional("file", .path, "A file; each line that is not empty is a record."),
        .optional("argv", .list(.text), "A program; each line of its output is a record."),
        .optional("sqlite", .path, "A SQLite database, asked with `query`."),
        .optional("query", .text, "What it is asked."),
    ]
}
