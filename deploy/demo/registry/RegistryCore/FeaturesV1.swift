/// Features as release 1 computes them: column by column, with no flag.
struct FeaturesV1: FeatureEngine {
    let name = "columns"

    func features(of table: CSVTable, vectorized: Bool) -> FeatureReport {
        let columns = table.columns.indices.map { ColumnSummary.features(of: table, column: $0) }
        return FeatureReport(rows: table.rows.count, columns: columns)
    }
}
