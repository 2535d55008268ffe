extension ValidatorCatalog {
    /// Validators of speed and error rates, in order of their ids.
    static let performance: [ValidatorSpec] = [
        .performanceBaseline
    ]
}
