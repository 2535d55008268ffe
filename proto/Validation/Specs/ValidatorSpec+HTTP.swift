extension ValidatorSpec {
    /// One GET request.
    package static let http = ValidatorSpec(
        id: "http", category: .network, summary: "One GET request by plain HTTP.",
        parameters: [
            .required("url", .text, "http://host[:port]/path."),
            .optional("status", .list(.integer(100...599)), "Statuses that pass; default [200]."),
            .optional("contains", .text, "Text that the body must contain."),
        ])
}
