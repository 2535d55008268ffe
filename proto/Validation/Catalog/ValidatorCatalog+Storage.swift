extension ValidatorCatalog {
    /// Validators of databases and other backends, in order of their ids.
    static let storage: [ValidatorSpec] = [
        .sqliteIntegrity,
        .storageBackend,
    ]
}
