extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let storage: [any Validator] = [
        SQLiteIntegrityValidator(),
        StorageBackendValidator(),
    ]
}
