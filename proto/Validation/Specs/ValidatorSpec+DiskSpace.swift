extension ValidatorSpec {
    /// Free space of a file system.
    package static let diskSpace = ValidatorSpec(
        id: "disk_space", category: .system, summary: "Free space.",
        parameters: [
            .required("path", .path, "Any path on the file system."),
            .required("bytes_min", .bytes, threshold: .fail, "Bytes that must be free."),
        ])
}
