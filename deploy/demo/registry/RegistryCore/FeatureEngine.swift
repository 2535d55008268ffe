/// The code of one release that computes the features of a table.
package protocol FeatureEngine: Sendable {
    /// The name of this generation of code; part of the key of the feature cache.
    var name: String { get }
    /// The features; `vectorized` asks for histograms and correlations where there are any.
    func features(of table: CSVTable, vectorized: Bool) throws -> FeatureReport
}
