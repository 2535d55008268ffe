import RegistryCore
import Testing

@Suite("Features") struct FeatureTests {
    private func table() throws -> CSVTable {
        try CSVTable(parsing: TestFolder.demo("datasets/colonies.csv"))
    }

    private func engine(_ version: String) throws -> any FeatureEngine {
        try Release(version: version).engine
    }

    @Test("Release 1 computes the golden features of the colonies")
    func golden() throws {
        let report = try engine("1.0.0").features(of: table(), vectorized: true)
        #expect(report.rows == 84)
        #expect(report.correlations == nil)
        let species = report.columns[0]
        #expect(species.kind == "text" && species.distinct == 4 && species.missing == 0)
        let pairs = try #require(report.columns[2].numeric)
        #expect(pairs.mean == 578.7738095238095)
        #expect(pairs.standardDeviation == 125.52524357942559)
        #expect(pairs.min == 282 && pairs.max == 849)
        #expect(pairs.quantiles["p25"] == 489.25 && pairs.quantiles["p50"] == 584)
    }

    @Test("Release 2 adds the golden correlations and histograms when its flag is on")
    func vectorized() throws {
        let report = try engine("2.0.0").features(of: table(), vectorized: true)
        let first = try #require(report.correlations?.first)
        #expect(first.left == "year" && first.right == "pairs")
        #expect(first.coefficient == -0.5539130856487882)
        #expect(report.columns[2].histogram == [2, 5, 5, 13, 12, 14, 14, 10, 6, 3])
        let json = try CanonicalJSON.line(report)
        let plan = try String(decoding: TestFolder.demo("plans/registry-2.yaml"), as: UTF8.self)
        let golden = "\"coefficient\":-0.5539130856487882,\"left\":\"year\",\"right\":\"pairs\""
        #expect(json.contains(golden))
        #expect(plan.contains(golden))
    }

    @Test("Without the flag all releases agree", arguments: ["2.0.0", "2.1.0"])
    func plain(version: String) throws {
        let table = try table()
        let expected = try engine("1.0.0").features(of: table, vectorized: false)
        #expect(try engine(version).features(of: table, vectorized: false) == expected)
    }

    @Test("Release 2.1 fails on every dataset of the demo once its flag is on")
    func defect() throws {
        for name in ["colonies", "orders", "weather"] {
            let table = try CSVTable(parsing: TestFolder.demo("datasets/\(name).csv"))
            #expect(throws: RegistryProblem.self) {
                try engine("2.1.0").features(of: table, vectorized: true)
            }
        }
    }

    @Test("Release 2.1 agrees with 2.0 on a table of numbers alone")
    func numbersAlone() throws {
        let table = try CSVTable(parsing: Array("a,b\n1,2\n2,4.5\n3,5\n".utf8))
        let expected = try engine("2.0.0").features(of: table, vectorized: true)
        #expect(try engine("2.1.0").features(of: table, vectorized: true) == expected)
    }
}
