extension ValidatorCatalog {
    /// Validators of permissions, secrets, certificates, in order of their ids.
    static let security: [ValidatorSpec] = [
        .permissions,
        .sensitiveData,
        .tlsCertificate,
    ]
}
