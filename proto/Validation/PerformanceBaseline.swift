package import FleetWire

/// How long something took, and how often it failed, when it was measured.
package struct PerformanceFigures: Codable, Sendable, Hashable {
    /// How often it was timed.
    package var samples: Int
    /// Half were no slower, in milliseconds.
    package var p50: Double
    /// 95 of 100 were no slower, in milliseconds.
    package var p95: Double
    /// The share of errors, from 0 to 1.
    package var errorRate: Double

    /// The figures of these times of what did not fail; nil if all failed.
    package init?(milliseconds: [Double], errors: Int) {
        let sorted = milliseconds.sorted()
        guard !sorted.isEmpty else { return nil }
        samples = sorted.count + errors
        p50 = Self.percentile(50, of: sorted)
        p95 = Self.percentile(95, of: sorted)
        errorRate = Double(errors) / Double(samples)
    }

    /// Decodes figures that can have been measured; throws `DecodingError.dataCorrupted` for others.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        samples = try container.decode(Int.self, forKey: .samples)
        p50 = try container.decode(Double.self, forKey: .p50)
        p95 = try container.decode(Double.self, forKey: .p95)
        errorRate = try container.decode(Double.self, forKey: .errorRate)
        guard samples > 0, 0 <= p50, p50 <= p95, p95 <= Self.millisecondsMax,
            (0..<1).contains(errorRate)
        else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: "no such times were measured")
            )
        }
    }

    /// A month, longer than any check may take; what is above is no time of a run.
    private static let millisecondsMax = 31.0 * 86_400_000

    /// The nearest rank: the least value that so many percent are not above.
    private static func percentile(_ percent: Int, of sorted: [Double]) -> Double {
        sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }

    /// One line for people.
    package var text: String {
        "p50 \(Self.text(p50)), p95 \(Self.text(p95)), \(Self.text(percent: errorRate)) errors of "
            + "\(samples)"
    }

    /// Milliseconds with three digits after the point at most.
    package static func text(_ milliseconds: Double) -> String {
        let thousandths = Int(clamping: Int64((milliseconds * 1000).rounded()))
        let rest = "\(thousandths % 1000 + 1000)".dropFirst()
        return "\(thousandths / 1000).\(rest)ms"
    }

    private static func text(percent share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10)%"
    }
}

/// Figures that later ones are held against.
package struct PerformanceBaseline: Codable, Sendable, Hashable {
    /// The version of this form.
    package static let version = 1

    /// 1.
    package var version: Int
    /// The endpoint that was timed; nil if it was a program.
    package var url: String?
    /// The program and its arguments.
    package var argv: [String]?
    /// The host that it was timed on.
    package var host: String
    /// The digest of the plan that it belongs to, if one was named.
    package var plan: Digest?
    /// When it was recorded.
    package var at: Timestamp
    /// What was measured.
    package var figures: PerformanceFigures
    /// A baseline of these fields.
    package init(
        url: String?, argv: [String]?, host: String, plan: Digest?, at: Timestamp,
        figures: PerformanceFigures
    ) {
        version = Self.version
        self.url = url
        self.argv = argv
        self.host = host
        self.plan = plan
        self.at = at
        self.figures = figures
    }

    /// What was timed, for people.
    package var target: String { url ?? (argv ?? []).joined(separator: " ") }

    /// By how many percent `figures` are longer than these at the percentile that is worse, and at
    /// which; differences of no more than `slack` milliseconds are none. Negative if both are shorter.
    package func slower(_ now: PerformanceFigures, slack: Double) -> (percent: Double, at: String) {
        func percent(_ before: Double, _ after: Double) -> Double {
            if after - before <= slack { return min(0, (after / max(before, 0.001) - 1) * 100) }
            return (after / max(before, 0.001) - 1) * 100
        }
        let half = percent(figures.p50, now.p50)
        let most = percent(figures.p95, now.p95)
        return half >= most ? (half, "p50") : (most, "p95")
    }
}
