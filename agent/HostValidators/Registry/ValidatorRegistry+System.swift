extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let system: [any Validator] = [
        ClockSkewValidator(),
        DiskSpaceValidator(),
        MemoryAvailableValidator(),
        ResourceLimitsValidator(),
        RuntimeVersionValidator(),
        SystemRequirementsValidator(),
    ]
}
