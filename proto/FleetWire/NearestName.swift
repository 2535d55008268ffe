/// Finds the name that somebody probably meant.
package enum NearestName {
    /// The name in `known` that is nearest to `name` by edits (insert, delete, change, swap), if it
    /// is near enough to be meant; ties go to the first in order of the alphabet.
    package static func of(_ name: String, among known: some Sequence<String>) -> String? {
        let written = Array(name.lowercased().utf8.prefix(64))
        let bound = max(1, min(3, written.count / 3))
        var best: (distance: Int, name: String)?
        for candidate in known.sorted() {
            let distance = distance(written, Array(candidate.lowercased().utf8.prefix(64)))
            if distance <= bound, distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        return best?.name
    }

    /// `; did you mean ...?`, or nothing.
    package static func hint(_ name: String, among known: some Sequence<String>) -> String {
        of(name, among: known).map { "; did you mean `\($0)`?" } ?? ""
    }

    /// Optimal string alignment distance.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let change = last[column] + (left[row] == right[column] ? 0 : 1)
                var cost = min(last[column + 1] + 1, current[column] + 1, change)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            before = last
            last = current
        }
        return last[right.count]
    }
}
