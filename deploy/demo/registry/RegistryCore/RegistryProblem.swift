/// What went wrong in the registry, with what a person can do about it.
package struct RegistryProblem: Error, CustomStringConvertible, Equatable {
    /// Which kind of failure it is; it decides the HTTP status and the exit code.
    package enum Kind: Sendable, Equatable {
        /// The caller sent something that cannot be accepted.
        case invalid
        /// There is no such dataset.
        case notFound
        /// The dataset exists already, with other contents.
        case conflict
        /// Stored data is not what the catalog says.
        case corrupt
        /// The database, a file or the flags cannot be used.
        case unavailable
    }

    /// The kind of the failure.
    package let kind: Kind
    /// What was attempted, on what, why it failed.
    package let description: String

    /// A failure of a kind, described in one sentence.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
