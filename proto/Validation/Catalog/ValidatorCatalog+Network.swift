extension ValidatorCatalog {
    /// Validators of names, ports and requests, in order of their ids.
    static let network: [ValidatorSpec] = [
        .dns,
        .http,
        .tcp,
    ]
}
