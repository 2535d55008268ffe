/// Where something stands in a plan: `stages.migration.steps[3].config.path`.
struct PlanPath: Sendable, Hashable, CustomStringConvertible {
    enum Part: Sendable, Hashable {
        case key(String)
        case index(Int)
    }

    var parts: [Part] = []

    /// The place `key` below this one.
    subscript(key: String) -> PlanPath { PlanPath(parts: parts + [.key(key)]) }
    /// The place `index`, from 0, below this one.
    subscript(index: Int) -> PlanPath { PlanPath(parts: parts + [.index(index)]) }

    /// True if one of the two holds the other, or they are the same.
    func touches(_ other: PlanPath) -> Bool {
        zip(parts, other.parts).allSatisfy { $0 == $1 }
    }

    var description: String {
        var text = ""
        for part in parts {
            switch part {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
}

/// A problem before its place in a file is known.
struct PlacedProblem: Hashable {
    var severity: PlanProblem.Severity
    var path: PlanPath
    /// True if it is about the key at `path`, not about its value.
    var atKey = false
    /// Columns to the right of the text's first character; nil if it is about the whole value.
    var offset: Int?
    var message: String
}
