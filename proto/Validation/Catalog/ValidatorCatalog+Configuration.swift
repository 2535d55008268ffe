extension ValidatorCatalog {
    /// Validators of files of configuration, the environment, in order of their ids.
    static let configuration: [ValidatorSpec] = [
        .configPermissions,
        .configValid,
        .environmentVars,
    ]
}
