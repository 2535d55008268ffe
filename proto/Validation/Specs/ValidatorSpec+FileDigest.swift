extension ValidatorSpec {
    /// The content of a file.
    package static let fileDigest = ValidatorSpec(
        id: "file_digest", category: .data, summary: "SHA-256 of a file.",
        parameters: [
            .required("path", .path, "The file."),
            .required("digest", .digest, "What its SHA-256 must be."),
        ])
}
