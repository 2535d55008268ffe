/// Finds the name that somebody probably meant.
package enum NearestName {
    /// The known name with the fewest edits to `name`, if they are at most a third of it (and at
    /// least two are allowed); the first in order among equals.
    package static func of(_ name: String, among known: [String]) -> String? {
        let limit = max(2, name.utf8.count / 3)
        return known.sorted().map { (edits(name, $0), $0) }.filter { $0.0 <= limit }
            .min { $0.0 < $1.0 }?.1
    }

    /// Levenshtein's distance over bytes.
    private static func edits(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
