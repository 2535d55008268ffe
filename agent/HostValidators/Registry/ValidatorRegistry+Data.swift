extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let data: [any Validator] = [
        DataConsistencyValidator(),
        DatasetIntegrityValidator(),
        FileDigestValidator(),
        MigrationReadinessValidator(),
    ]
}
