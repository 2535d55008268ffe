extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let compatibility: [any Validator] = [
        ReplayValidator.api,
        ReplayValidator.backward,
        FeatureComputationValidator(),
    ]
}
