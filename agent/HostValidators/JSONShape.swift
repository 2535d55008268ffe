/// Compares the shapes of two JSON texts: types and the names of members, not values.
struct JSONShape {
    /// What was recorded and is not there, or of another type; each names its place, `$.a[].b`.
    private(set) var differences: [String] = []
    /// Places that were not recorded.
    private(set) var added: [String] = []
    /// More elements of an array are not looked at.
    private static let elementsMax = 1000

    init(of found: JSONTree, against recorded: JSONTree) { compare(found, recorded, "$") }

    private mutating func compare(_ found: JSONTree, _ recorded: JSONTree, _ place: String) {
        switch (recorded, found) {
        case (.null, _), (.flag, .flag), (.number, .number), (.text, .text): break
        case (.map(let old), .map(let new)):
            for name in old.keys.sorted() {
                guard let value = old[name] else { continue }
                if let other = new[name] {
                    compare(other, value, "\(place).\(name)")
                } else {
                    differences.append("\(place).\(name) is missing")
                }
            }
            for name in new.keys.sorted() where old[name] == nil {
                added.append("\(place).\(name)")
            }
        case (.list(let old), .list(let new)): compare(new, old, place)
        case (.flag, _), (.number, _), (.text, _), (.map, _), (.list, _):
            differences.append("\(place) is \(found.kind), not \(recorded.kind)")
        }
    }

    private mutating func compare(_ found: [JSONTree], _ recorded: [JSONTree], _ place: String) {
        guard let first = recorded.first else { return }
        for element in found.prefix(Self.elementsMax) {
            let shapes = recorded.prefix(Self.elementsMax).lazy.map {
                JSONShape(of: element, against: $0)
            }
            let best =
                shapes.first { $0.differences.isEmpty } ?? JSONShape(of: element, against: first)
            differences += best.differences.map { place + "[]" + $0.dropFirst() }
            added += best.added.map { place + "[]" + $0.dropFirst() }
            if !best.differences.isEmpty { return }
        }
    }
}
