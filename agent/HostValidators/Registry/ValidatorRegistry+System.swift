extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let system: [any Validator] = [
        DiskSpaceValidator(),
        MemoryAvailableValidator(),
        ResourceLimitsValidator(),
        RuntimeVersionValidator(),
        SystemRequirementsValidator(),
    ]
}
