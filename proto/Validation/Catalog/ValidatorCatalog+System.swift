extension ValidatorCatalog {
    /// Validators of the machine: processors, memory, disks, limits, clock, in order of their ids.
    static let system: [ValidatorSpec] = [
        .clockSkew,
        .diskSpace,
        .memoryAvailable,
        .resourceLimits,
        .runtimeVersion,
        .systemRequirements,
    ]
}
