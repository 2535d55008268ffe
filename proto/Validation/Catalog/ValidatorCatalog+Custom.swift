extension ValidatorCatalog {
    /// Validators of the operator's own programs, in order of their ids.
    static let custom: [ValidatorSpec] = [
        .nagios,
        .run,
    ]
}
