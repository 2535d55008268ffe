extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let custom: [any Validator] = [
        NagiosValidator(),
        RunValidator(),
    ]
}
