/// Features as release 2.1 computes them: the vectorized path runs over one packed matrix.
///
/// This release carries a defect, and that is its part in the demo.
/// The matrix packs numeric columns only, but its columns are looked up with the indices of the
/// table, so every table that has a column of text before a numeric one fails.
/// The path is off until the flag is turned on, and a table that begins with its numbers works,
/// which is how such a release passes its own tests.
struct FeaturesV21: FeatureEngine {
    let name = "matrix-2.1"

    func features(of table: CSVTable, vectorized: Bool) throws -> FeatureReport {
        var report = FeaturesV1().features(of: table, vectorized: false)
        guard vectorized else { return report }
        let matrix = ColumnMatrix(packing: table)
        let numeric = report.columns.indices.filter { report.columns[$0].numeric != nil }
        for index in numeric {
            guard let summary = report.columns[index].numeric else { continue }
            let values = try matrix.column(at: index).filter { !$0.isNaN }
            report.columns[index].histogram = try Histogram.counts(
                values, min: summary.min, max: summary.max)
        }
        report.correlations = try correlations(of: numeric, names: table.columns, in: matrix)
        return report
    }

    private func correlations(
        of numeric: [Int], names: [String], in matrix: ColumnMatrix
    ) throws -> [Correlation] {
        var found: [Correlation] = []
        for (offset, left) in numeric.enumerated() {
            let leftValues = try matrix.column(at: left)
            for right in numeric.dropFirst(offset + 1) {
                let pairs = zip(leftValues, try matrix.column(at: right)).filter {
                    !$0.0.isNaN && !$0.1.isNaN
                }
                found.append(
                    Correlation(
                        left: names[left], right: names[right], coefficient: Pearson.of(pairs)))
            }
        }
        return found
    }
}
