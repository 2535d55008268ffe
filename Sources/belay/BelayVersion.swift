/// The version of this command.
enum BelayVersion {
    static let current = "0.1.0"
}
