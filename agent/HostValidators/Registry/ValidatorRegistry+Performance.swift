extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let performance: [any Validator] = [
        PerformanceBaselineValidator()
    ]
}
