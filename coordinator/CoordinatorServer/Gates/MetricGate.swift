import FleetWire
import RolloutCore
import RolloutPlan

extension MetricRule {
    /// Judges hosts by their samples of the window. A host that breaks the limit fails the gate,
    /// whatever the others lack; a host with too few samples leaves it without data.
    func finding(_ samples: [(host: HostID, values: [Double])]) -> GateFinding {
        guard !samples.isEmpty else { return .noData("no host was looked at") }
        let least = max(1, samplesMin)
        let full = samples.filter { $0.values.count >= least }
        let measured = full.map { (host: $0.host, value: aggregate.value(of: $0.values)) }
        let bad = measured.filter { !comparison.holds($0.value, limit) }
        let rule =
            "\(aggregate.rawValue) of \(metric) over \(window.text) must be "
            + "\(comparison.rawValue) \(limit.shown)"
        if let worst = bad.first {
            return .found(
                .fail,
                "\(rule); it is \(worst.value.shown) on \(worst.host)"
                    + (bad.count > 1 ? " and too far off on \(bad.count - 1) more" : ""))
        }
        if let short = samples.first(where: { $0.values.count < least }) {
            let more = samples.count - full.count - 1
            return .noData(
                "\(short.host)\(more > 0 ? " and \(more) more" : "") gave \(short.values.count) "
                    + "of \(least) samples; \(rule)")
        }
        let values = measured.map(\.value).sorted()
        let count = full.map(\.values.count).reduce(0, +)
        return .found(
            .pass,
            "\(rule); it is \(values.span) on "
                + "\(samples.count == 1 ? "1 host" : "\(samples.count) hosts"), \(count) samples")
    }
}

extension MetricRule.Aggregate {
    /// One number of some, oldest first; percentiles are by nearest rank. NaN for none, which keeps
    /// no limit.
    func value(of samples: [Double]) -> Double {
        guard let last = samples.last else { return .nan }
        switch self {
        case .mean: return samples.reduce(0, +) / Double(samples.count)
        case .min: return samples.reduce(last) { Swift.min($0, $1) }
        case .max: return samples.reduce(last) { Swift.max($0, $1) }
        case .last: return last
        case .p50: return Self.percentile(50, of: samples)
        case .p95: return Self.percentile(95, of: samples)
        }
    }

    private static func percentile(_ percent: Int, of samples: [Double]) -> Double {
        let sorted = samples.sorted()
        let rank = (percent * sorted.count + 99) / 100
        return sorted[rank - 1]
    }
}

extension [Double] {
    /// `5`, or `5 to 7`, of numbers in order; nothing for none.
    var span: String {
        guard let low = first?.shown, let high = last?.shown else { return "" }
        return low == high ? low : "\(low) to \(high)"
    }
}

extension Double {
    /// Six significant digits at most, `5` for a whole number.
    var shown: String {
        if self == rounded(), abs(self) < 1e15 { return String(Int64(self)) }
        guard isFinite, self != 0 else { return "\(self)" }
        var scale = 1.0
        while abs(self) * scale < 1e5, scale < 1e12 { scale *= 10 }
        return "\((self * scale).rounded() / scale)"
    }
}
