/// Counts of values in bins of equal width.
enum Histogram {
    /// How many bins a histogram has.
    static let bins = 10

    /// The counts from `min` to `max`; the last bin includes `max`. All in the first if equal.
    ///
    /// Refuses a value outside of the range: it cannot come from the column that has the range.
    static func counts(
        _ values: [Double], min: Double, max: Double
    ) throws(RegistryProblem) -> [Int] {
        var counts = [Int](repeating: 0, count: bins)
        let width = (max - min) / Double(bins)
        for value in values {
            guard value >= min, value <= max else {
                throw RegistryProblem(
                    .corrupt, "histogram: the value \(value) is outside of \(min) to \(max)")
            }
            let bin = width > 0 ? Int((value - min) / width) : 0
            counts[Swift.min(bin, bins - 1)] += 1
        }
        return counts
    }
}
