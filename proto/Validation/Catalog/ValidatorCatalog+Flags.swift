extension ValidatorCatalog {
    /// Validators of feature flags, in order of their ids.
    static let flags: [ValidatorSpec] = [
        .featureFlags
    ]
}
