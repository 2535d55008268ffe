extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let security: [any Validator] = [
        PermissionsValidator(),
        SensitiveDataValidator(),
        TLSCertificateValidator(),
    ]
}
