import FleetSimulation
import FleetWire
import Foundation
import RolloutCore

/// What one run costs at three sizes of fleet, and how that grows; for `make bench-simulation`.
struct SimulationBench {
    /// One measured size.
    struct Row: Encodable {
        var what: String
        var unit: String
        var ours: Double
        var peer: Double?
        var peer_name = ""
        var target: String
        var holds: Bool
        var minimum: Double
        var maximum: Double
        var command = "belay simulate --bench FILE"
    }

    /// Runs at each size; a size below 100,000 is measured three times.
    private static let sizes = [1000, 10_000, 100_000]

    func measure() throws -> [Row] {
        var rows: [Row] = []
        var medians: [Double] = []
        for size in Self.sizes {
            let plan = try PlainPlan.make(hosts: size)
            var seconds: [Double] = []
            for seed in 0..<(size < 100_000 ? 3 : 1) {
                let clock = ContinuousClock()
                let begin = clock.now
                var run = SimulatedRun(.init(plan: plan, faults: []), seed: UInt64(seed))
                let result = run.run()
                let span = begin.duration(to: clock.now) / .seconds(1)
                guard result.broken.isEmpty, result.state == .succeeded else {
                    throw EndWith(status: .error)
                }
                seconds.append(span)
            }
            seconds.sort()
            let median = seconds[seconds.count / 2]
            medians.append(median)
            rows.append(
                Row(
                    what: "one run of \(size) hosts without faults", unit: "s", ours: median,
                    target: size == 100_000 ? "at most 30 s" : "", holds: median <= 30,
                    minimum: seconds.first ?? median, maximum: seconds.last ?? median))
        }
        let exponent = log10(medians[2] / medians[1])
        // n log n from 10,000 to 100,000 is an exponent of log10(10 * 5 / 4).
        let most = log10(12.5)
        rows.append(
            Row(
                what: "exponent of the cost from 10000 to 100000 hosts", unit: "",
                ours: exponent, target: "at most 1.10 (n log n)", holds: exponent <= most,
                minimum: exponent, maximum: exponent))
        return rows
    }

    /// Writes the rows as JSON and gives them as a table.
    static func write(_ rows: [Row], to path: String) throws -> [String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(rows).write(to: url)
        return rows.map { row in
            let number = (row.ours * 100).rounded() / 100
            return "\(row.what): \(number) \(row.unit)"
                + (row.target.isEmpty ? "" : ", target \(row.target): \(row.holds ? "yes" : "NO")")
        }
    }
}
