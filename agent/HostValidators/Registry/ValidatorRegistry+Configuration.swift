extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let configuration: [any Validator] = [
        ConfigPermissionsValidator(),
        ConfigValidValidator(),
        EnvironmentVarsValidator(),
    ]
}
