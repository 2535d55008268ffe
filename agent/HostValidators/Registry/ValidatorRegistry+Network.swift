extension ValidatorRegistry {
    /// In order of their ids; the catalog has the same.
    static let network: [any Validator] = [
        DNSValidator(),
        HTTPValidator(),
        TCPValidator(),
    ]
}
