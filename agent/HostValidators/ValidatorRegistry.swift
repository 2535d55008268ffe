import Validation

/// The validators that this agent can run. Each category lists its own in a file of `Registry/`.
package enum ValidatorRegistry {
    static let all: [any Validator] =
        (system + configuration + flags + storage + data + compatibility + performance + security
            + network + service + custom)

    /// Their ids.
    package static var ids: [String] { all.map(\.spec.id) }

    private static let byID = Dictionary(all.map { ($0.spec.id, $0) }) { first, _ in first }

    /// The validator with this id.
    static func validator(_ id: String) -> (any Validator)? { byID[id] }
}
