/// What several runs of one measurement gave.
struct Quantiles: Equatable, Sendable {
    let median: Double
    let least: Double
    let most: Double
    let count: Int

    /// Nil without values: nothing was measured.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let least = sorted.first, let most = sorted.last else { return nil }
        self.least = least
        self.most = most
        count = sorted.count
        let middle = sorted.count / 2
        median =
            sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
