/// Every validator that Belay has. Each category lists its own in a file `Catalog/`, so that a new
/// validator is one file in `Specs/` and one line there.
package enum ValidatorCatalog {
    /// All validators, by category and id.
    package static let all: [ValidatorSpec] =
        (system + configuration + flags + storage + data + compatibility + performance + security
            + network + service + custom)

    /// The validator with this id.
    package static func spec(_ id: String) -> ValidatorSpec? { byID[id] }

    private static let byID = Dictionary(all.map { ($0.id, $0) }) { first, _ in first }
}
