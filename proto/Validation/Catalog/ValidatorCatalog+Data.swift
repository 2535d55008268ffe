extension ValidatorCatalog {
    /// Validators of datasets and files, in order of their ids.
    static let data: [ValidatorSpec] = [
        .dataConsistency,
        .datasetIntegrity,
        .fileDigest,
        .migrationReadiness,
    ]
}
