/// A label selector as Kubernetes writes it: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
package struct Selector: Sendable, Hashable {
    /// What is asked of one label.
    enum Requirement: Sendable, Hashable {
        case equals(String, String)
        /// Holds without the label too, as in Kubernetes.
        case differs(String, String)
        case oneOf(String, Set<String>)
        /// Holds without the label too, as in Kubernetes.
        case noneOf(String, Set<String>)
        case exists(String)
        case missing(String)
    }

    let requirements: [Requirement]

    /// Parses; throws what is wrong and where (`column` from 1).
    package init(parsing text: String) throws(SelectorError) {
        var parser = SelectorParser(text)
        requirements = try parser.parse()
    }

    /// True if all of its requirements hold.
    package func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .equals(let key, let value): labels[key] == value
            case .differs(let key, let value): labels[key] != value
            case .oneOf(let key, let values): labels[key].map(values.contains) ?? false
            case .noneOf(let key, let values): !(labels[key].map(values.contains) ?? false)
            case .exists(let key): labels[key] != nil
            case .missing(let key): labels[key] == nil
            }
        }
    }

    /// The values that it names, by label; empty for labels that it only asks to be there or not.
    package var namedValues: [String: Set<String>] {
        var values: [String: Set<String>] = [:]
        for requirement in requirements {
            switch requirement {
            case .equals(let key, let value), .differs(let key, let value):
                values[key, default: []].insert(value)
            case .oneOf(let key, let some), .noneOf(let key, let some):
                values[key, default: []].formUnion(some)
            case .exists(let key), .missing(let key): values[key, default: []].formUnion([])
            }
        }
        return values
    }

    /// The labels that it asks for, in order.
    package var labels: [String] {
        requirements.map { requirement in
            switch requirement {
            case .equals(let key, _), .differs(let key, _), .oneOf(let key, _),
                .noneOf(let key, _), .exists(let key), .missing(let key):
                key
            }
        }
    }
}

/// Why a selector is none.
package struct SelectorError: Error, Sendable, Hashable {
    /// From 1.
    package var column: Int
    /// What was expected.
    package var message: String
}
