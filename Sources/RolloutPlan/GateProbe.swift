package import FleetWire

/// What a gate rests its verdict on.
package enum GateProbe: Codable, Sendable, Hashable {
    /// Checks on each host of the wave.
    case checks([CheckSpec])
    /// One or two different persons.
    case approval(ApprovalRule)
    /// A metric that the wave's agents collect, over a window.
    case metric(MetricRule)
    /// An answer of a service of the operator's.
    case webhook(WebhookRule)
    /// A query to a Prometheus server.
    case prometheus(PrometheusRule)
}

/// Who opens a gate, and for how long an approval counts.
package struct ApprovalRule: Codable, Sendable, Hashable {
    /// Different persons who must approve: 1 or 2.
    package var persons: Int
    /// An approval that did not open the gate within this is void; nil keeps it.
    package var expires: Milliseconds?
    /// A rule of these fields.
    package init(persons: Int = 1, expires: Milliseconds? = nil) {
        self.persons = persons
        self.expires = expires
    }
}

/// How a number is compared with its limit.
package enum Comparison: String, Codable, Sendable, Hashable, CaseIterable {
    case below = "<"
    case atMost = "<="
    case above = ">"
    case atLeast = ">="
    case equal = "=="

    /// True if `value` keeps the limit; never for NaN.
    package func holds(_ value: Double, _ limit: Double) -> Bool {
        switch self {
        case .below: value < limit
        case .atMost: value <= limit
        case .above: value > limit
        case .atLeast: value >= limit
        case .equal: value == limit
        }
    }
}

/// A threshold on one metric of the wave's hosts: each host's aggregate must keep it.
package struct MetricRule: Codable, Sendable, Hashable {
    /// How one host's samples of the window become one number.
    package enum Aggregate: String, Codable, Sendable, Hashable, CaseIterable {
        case mean, min, max, last
        case p50, p95
    }
    /// The metric's name, as `belay-agent` reports it.
    package var metric: String
    /// How its samples become one number.
    package var aggregate: Aggregate
    /// How the number is held against the limit.
    package var comparison: Comparison
    /// In the metric's unit.
    package var limit: Double
    /// Samples older than this at the moment of asking do not count.
    package var window: Milliseconds
    /// Fewer samples of any host in the window are no data; at least 1.
    package var samplesMin: Int
    /// A rule of these fields.
    package init(
        metric: String, aggregate: Aggregate, comparison: Comparison, limit: Double,
        window: Milliseconds, samplesMin: Int
    ) {
        self.metric = metric
        self.aggregate = aggregate
        self.comparison = comparison
        self.limit = limit
        self.window = window
        self.samplesMin = samplesMin
    }
}

/// A POST of the rollout, wave and hosts as JSON; the answer is
/// `{"verdict": "pass" | "fail" | "inconclusive", "detail": "…"}` with status 200. Any other
/// answer, or none, is no data.
package struct WebhookRule: Codable, Sendable, Hashable {
    /// `http` or `https`.
    package var url: String
    /// Extra headers; a value may be `file:/path`, which the coordinator reads when it asks.
    package var headers: [String: String]
    /// How long an answer may take.
    package var timeout: Milliseconds
    /// A rule of these fields.
    package init(url: String, headers: [String: String] = [:], timeout: Milliseconds) {
        self.url = url
        self.headers = headers
        self.timeout = timeout
    }
}

/// An instant query; every sample of the answer must keep the limit, an empty answer is no data.
package struct PrometheusRule: Codable, Sendable, Hashable {
    /// Base URL of the server, `http` or `https`.
    package var url: String
    /// PromQL; `{{ wave.hosts }}` is the wave's hosts as a regular expression.
    package var query: String
    /// How each sample is held against the limit.
    package var comparison: Comparison
    /// In the query's unit.
    package var limit: Double
    /// Fewer samples in the answer are no data; at least 1.
    package var samplesMin: Int
    /// How long an answer may take.
    package var timeout: Milliseconds
    /// Extra headers, see `WebhookRule.headers`.
    package var headers: [String: String]
    /// A rule of these fields.
    package init(
        url: String, query: String, comparison: Comparison, limit: Double, samplesMin: Int,
        timeout: Milliseconds, headers: [String: String] = [:]
    ) {
        self.url = url
        self.query = query
        self.comparison = comparison
        self.limit = limit
        self.samplesMin = samplesMin
        self.timeout = timeout
        self.headers = headers
    }
}
