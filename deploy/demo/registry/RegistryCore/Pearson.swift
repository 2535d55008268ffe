/// Pearson's correlation coefficient.
enum Pearson {
    /// The coefficient of pairs; nil for fewer than two or when either side does not vary.
    static func of(_ pairs: [(Double, Double)]) -> Double? {
        guard pairs.count > 1 else { return nil }
        let count = Double(pairs.count)
        let leftMean = pairs.reduce(0) { $0 + $1.0 } / count
        let rightMean = pairs.reduce(0) { $0 + $1.1 } / count
        var products = 0.0
        var leftSquares = 0.0
        var rightSquares = 0.0
        for (left, right) in pairs {
            products += (left - leftMean) * (right - rightMean)
            leftSquares += (left - leftMean) * (left - leftMean)
            rightSquares += (right - rightMean) * (right - rightMean)
        }
        guard leftSquares > 0, rightSquares > 0 else { return nil }
        return products / (leftSquares.squareRoot() * rightSquares.squareRoot())
    }
}
