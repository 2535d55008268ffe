/// What is computed over a dataset: one entry a column and, when vectorized, correlations.
package struct FeatureReport: Codable, Sendable, Equatable {
    /// How many rows the dataset has.
    package var rows: Int
    /// The features of each column, in the order of the table.
    package var columns: [ColumnFeatures]
    /// Pearson's correlation of each pair of numeric columns; absent unless vectorized.
    package var correlations: [Correlation]?

    /// A report of its parts.
    package init(rows: Int, columns: [ColumnFeatures], correlations: [Correlation]? = nil) {
        self.rows = rows
        self.columns = columns
        self.correlations = correlations
    }
}

/// The features of one column.
package struct ColumnFeatures: Codable, Sendable, Equatable {
    /// The name of the column.
    package var name: String
    /// `numeric` or `text`.
    package var kind: String
    /// How many rows have a value.
    package var count: Int
    /// How many rows have none.
    package var missing: Int
    /// How many different values there are; text only.
    package var distinct: Int?
    /// The numbers; numeric only.
    package var numeric: NumericFeatures?
    /// Counts in ten bins of equal width from minimum to maximum; only when vectorized.
    package var histogram: [Int]?
}

/// What is known of a column of numbers.
package struct NumericFeatures: Codable, Sendable, Equatable {
    /// The arithmetic mean.
    package var mean: Double
    /// The sample standard deviation (divisor n - 1); nil for a single value.
    package var standardDeviation: Double?
    /// The smallest value.
    package var min: Double
    /// The largest value.
    package var max: Double
    /// `p05`, `p25`, `p50`, `p75` and `p95`, interpolated linearly (Hyndman and Fan, type 7).
    package var quantiles: [String: Double]

    private enum CodingKeys: String, CodingKey {
        case mean, min, max, quantiles
        case standardDeviation = "standard_deviation"
    }
}

/// Pearson's correlation of two columns.
package struct Correlation: Codable, Sendable, Equatable {
    /// The name of the first column.
    package var left: String
    /// The name of the second column.
    package var right: String
    /// From -1 to 1; nil when either column does not vary.
    package var coefficient: Double?
}
