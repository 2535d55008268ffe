/// A label selector as Kubernetes writes it: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
package struct Selector: Sendable, Hashable {
    /// Parses; throws what is wrong and where (`column` from 1).
    package init(parsing text: String) throws(SelectorError) {}
    /// True if all of its requirements hold.
    package func matches(_ labels: [String: String]) -> Bool { false }
}

/// Why a selector is none.
package struct SelectorError: Error, Sendable, Hashable {
    /// From 1.
    package var column: Int
    /// What was expected.
    package var message: String
}
