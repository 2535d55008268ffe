extension ValidatorCatalog {
    /// Validators of interfaces and recorded answers, in order of their ids.
    static let compatibility: [ValidatorSpec] = [
        .apiCompatibility,
        .backwardCompatibility,
        .featureComputation,
    ]
}
