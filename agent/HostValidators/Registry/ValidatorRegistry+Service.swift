extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let service: [any Validator] = [
        PackageVersionValidator(),
        ProcessValidator(),
        SystemdUnitValidator(),
    ]
}
