/// The plain features of one column, which are the same in every release.
enum ColumnSummary {
    /// The probabilities of the quantiles, with their names in reports.
    private static let quantiles: [(name: String, probability: Double)] = [
        ("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95),
    ]

    static func features(of table: CSVTable, column index: Int) -> ColumnFeatures {
        let name = table.columns[index]
        if let numbers = table.numbers(inColumn: index) {
            let present = numbers.compactMap { $0 }
            return ColumnFeatures(
                name: name, kind: "numeric", count: present.count,
                missing: numbers.count - present.count, numeric: numeric(present))
        }
        let values = table.rows.map { $0[index] }.filter { !$0.isEmpty }
        return ColumnFeatures(
            name: name, kind: "text", count: values.count,
            missing: table.rows.count - values.count, distinct: Set(values).count)
    }

    /// The features of at least one number.
    static func numeric(_ values: [Double]) -> NumericFeatures {
        precondition(!values.isEmpty, "a numeric column has a value")
        let sorted = values.sorted()
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let named = quantiles.map { ($0.name, quantile($0.probability, ofSorted: sorted)) }
        return NumericFeatures(
            mean: mean,
            standardDeviation: values.count > 1 ? (squares / (count - 1)).squareRoot() : nil,
            min: sorted[0], max: sorted[sorted.count - 1],
            quantiles: Dictionary(uniqueKeysWithValues: named))
    }

    private static func quantile(_ probability: Double, ofSorted sorted: [Double]) -> Double {
        let position = probability * Double(sorted.count - 1)
        let below = Int(position.rounded(.down))
        guard below + 1 < sorted.count else { return sorted[below] }
        return sorted[below] + (position - Double(below)) * (sorted[below + 1] - sorted[below])
    }
}
