extension ValidatorCatalog {
    /// Validators of processes, units and packages, in order of their ids.
    static let service: [ValidatorSpec] = [
        .packageVersion,
        .process,
        .systemdUnit,
    ]
}
