/// Features as release 2.0 computes them: with the flag, histograms and correlations come on top.
struct FeaturesV2: FeatureEngine {
    let name = "columns-2.0"

    func features(of table: CSVTable, vectorized: Bool) throws -> FeatureReport {
        var report = FeaturesV1().features(of: table, vectorized: false)
        guard vectorized else { return report }
        let numbers = table.columns.indices.map { table.numbers(inColumn: $0) }
        for index in report.columns.indices {
            guard let values = numbers[index], let summary = report.columns[index].numeric else {
                continue
            }
            report.columns[index].histogram = try Histogram.counts(
                values.compactMap { $0 }, min: summary.min, max: summary.max)
        }
        report.correlations = correlations(names: table.columns, numbers: numbers)
        return report
    }

    private func correlations(names: [String], numbers: [[Double?]?]) -> [Correlation] {
        var found: [Correlation] = []
        for left in numbers.indices {
            guard let leftValues = numbers[left] else { continue }
            for right in numbers.indices.dropFirst(left + 1) {
                guard let rightValues = numbers[right] else { continue }
                let pairs = zip(leftValues, rightValues).compactMap { pair in
                    pair.0.flatMap { first in pair.1.map { (first, $0) } }
                }
                found.append(
                    Correlation(
                        left: names[left], right: names[right], coefficient: Pearson.of(pairs)))
            }
        }
        return found
    }
}
