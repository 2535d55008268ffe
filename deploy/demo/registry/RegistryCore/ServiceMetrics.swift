import Synchronization

/// Counts of what the service answered, as Prometheus reads them.
package final class ServiceMetrics: Sendable {
    private struct Key: Hashable {
        var endpoint: String
        var status: Int
    }

    private struct Latency {
        var buckets = [Int](repeating: 0, count: ServiceMetrics.boundsSeconds.count)
        var count = 0
        var sumSeconds = 0.0
    }

    private struct State {
        var answers: [Key: Int] = [:]
        var latencies: [String: Latency] = [:]
    }

    private static let boundsSeconds = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5]
    private let state = Mutex(State())

    /// Nothing counted yet.
    package init() {}

    /// Counts one answer; `endpoint` is a route, never a caller's text.
    package func count(endpoint: String, status: Int, took: Duration) {
        let seconds =
            Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        state.withLock { state in
            state.answers[Key(endpoint: endpoint, status: status), default: 0] += 1
            var latency = state.latencies[endpoint] ?? Latency()
            latency.count += 1
            latency.sumSeconds += seconds
            for (index, bound) in Self.boundsSeconds.enumerated() where seconds <= bound {
                latency.buckets[index] += 1
            }
            state.latencies[endpoint] = latency
        }
    }

    /// All counts in the text format of Prometheus.
    package func text(release: Release) -> String {
        let state = state.withLock { $0 }
        var lines = [
            "# HELP registry_info The release that runs.", "# TYPE registry_info gauge",
            "registry_info{version=\"\(release.version)\",schema=\"\(release.schema)\"} 1",
            "# HELP registry_requests_total Answers by endpoint and status.",
            "# TYPE registry_requests_total counter",
        ]
        let answers = state.answers.sorted {
            ($0.key.endpoint, $0.key.status) < ($1.key.endpoint, $1.key.status)
        }
        for (key, count) in answers {
            lines.append(
                "registry_requests_total{endpoint=\"\(key.endpoint)\",status=\"\(key.status)\"} "
                    + "\(count)")
        }
        lines += [
            "# HELP registry_errors_total Answers of status 500 and above by endpoint.",
            "# TYPE registry_errors_total counter",
        ]
        for endpoint in state.latencies.keys.sorted() {
            let errors = answers.filter { $0.key.endpoint == endpoint && $0.key.status >= 500 }
            let count = errors.reduce(0) { $0 + $1.value }
            lines.append("registry_errors_total{endpoint=\"\(endpoint)\"} \(count)")
        }
        lines += durations(state)
        return lines.joined(separator: "\n") + "\n"
    }

    private func durations(_ state: State) -> [String] {
        let name = "registry_request_duration_seconds"
        var lines = [
            "# HELP \(name) How long answers took, by endpoint.", "# TYPE \(name) histogram",
        ]
        for (endpoint, latency) in state.latencies.sorted(by: { $0.key < $1.key }) {
            for (index, bound) in Self.boundsSeconds.enumerated() {
                lines.append(
                    "\(name)_bucket{endpoint=\"\(endpoint)\",le=\"\(bound)\"} "
                        + "\(latency.buckets[index])")
            }
            lines.append("\(name)_bucket{endpoint=\"\(endpoint)\",le=\"+Inf\"} \(latency.count)")
            lines.append("\(name)_sum{endpoint=\"\(endpoint)\"} \(latency.sumSeconds)")
            lines.append("\(name)_count{endpoint=\"\(endpoint)\"} \(latency.count)")
        }
        return lines
    }
}
