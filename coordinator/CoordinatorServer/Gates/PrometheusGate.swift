import FleetWire
import RolloutCore
import RolloutPlan

/// Instant queries of Prometheus' HTTP API
/// (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
enum PrometheusGate {
    /// One value of an answer, and whose it is.
    struct Sample: Sendable, Hashable {
        var labels: [String: String]
        var value: Double
    }

    /// Asks once, for the moment `now`.
    static func ask(
        _ rule: PrometheusRule, _ work: GateWork, _ client: GateClient
    ) async -> GateFinding {
        let form = [
            ("query", query(rule.query, hosts: work.hosts)),
            ("timeout", "\(max(1, rule.timeout.count))ms"),
        ]
        do {
            let answer = try await client.ask(
                .init(
                    url: address(rule.url), headers: rule.headers,
                    contentType: "application/x-www-form-urlencoded",
                    body: Array(form.map { "\($0)=\(escaped($1))" }.joined(separator: "&").utf8),
                    timeout: rule.timeout))
            return finding(answer, rule)
        } catch {
            return .noData(error.why)
        }
    }

    /// The query with the wave's hosts as a regular expression without backslashes, so that it can
    /// stand in quotes of any kind.
    static func query(_ text: String, hosts: [HostID]) -> String {
        let names = hosts.map { $0.rawValue.replacing(".", with: "[.]") }.joined(separator: "|")
        return text.replacing("{{ wave.hosts }}", with: names)
            .replacing("{{wave.hosts}}", with: names)
    }

    private static func address(_ base: String) -> String {
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        return base + "/api/v1/query"
    }

    private static func escaped(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                String(UnicodeScalar(byte))
            default: "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }.joined()
    }

    // MARK: - The answer

    private struct Reply: Decodable {
        var status: String
        var data: Content?
        var error: String?
        var warnings: [String]?
        var infos: [String]?
    }

    private struct Content: Decodable {
        var samples: [Sample]
        /// Why it holds no samples; nil if it can.
        var otherKind: String?

        private enum Keys: String, CodingKey { case resultType, result }
        private struct Element: Decodable {
            var metric: [String: String]
            /// Nil for a native histogram.
            var value: Point?
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Keys.self)
            let kind = try fields.decode(String.self, forKey: .resultType)
            switch kind {
            case "vector":
                let all = try fields.decode([Element].self, forKey: .result)
                samples = all.map {
                    Sample(labels: $0.metric, value: $0.value?.number ?? .nan)
                }
            case "scalar":
                let point = try fields.decode(Point.self, forKey: .result)
                samples = [Sample(labels: [:], value: point.number)]
            default:
                samples = []
                otherKind = kind
            }
        }
    }

    /// `[<seconds>, "<number>"]`.
    private struct Point: Decodable {
        var number: Double
        init(from decoder: any Decoder) throws {
            var parts = try decoder.unkeyedContainer()
            _ = try parts.decode(Double.self)
            number = Double(try parts.decode(String.self)) ?? .nan
        }
    }

    static func finding(_ answer: GateClient.Answer, _ rule: PrometheusRule) -> GateFinding {
        guard let reply = try? WireJSON.decode(Reply.self, from: answer.body) else {
            return .noData(
                "Prometheus answered with status \(answer.status) and no JSON of its API")
        }
        let said = notes(reply)
        guard answer.status == 200, reply.status == "success", let data = reply.data else {
            return .noData(
                "Prometheus refused the query (status \(answer.status))"
                    + (reply.error.map { ": \(PlainText.line($0))" } ?? "") + said)
        }
        if let kind = data.otherKind {
            return .noData("the query gives a \(kind), not a vector or a scalar" + said)
        }
        return judge(data.samples, rule, said)
    }

    /// A sample that breaks the limit fails; one that is no number is no data, and never holds.
    private static func judge(
        _ samples: [Sample], _ rule: PrometheusRule, _ said: String
    ) -> GateFinding {
        let numbers = samples.filter { !$0.value.isNaN }
        let limit = "must be \(rule.comparison.rawValue) \(rule.limit.shown)"
        if let bad = numbers.first(where: { !rule.comparison.holds($0.value, rule.limit) }) {
            let count = numbers.count { !rule.comparison.holds($0.value, rule.limit) }
            return .found(
                .fail,
                "\(bad.value.shown)\(name(bad)) \(limit); \(count) of \(samples.count) "
                    + "\(samples.count == 1 ? "sample breaks" : "samples break") it" + said)
        }
        guard !samples.isEmpty else { return .noData("the query gives no sample" + said) }
        if let odd = samples.first(where: \.value.isNaN) {
            return .noData("a sample\(name(odd)) is no number; it \(limit)" + said)
        }
        let least = max(1, rule.samplesMin)
        guard samples.count >= least else {
            return .noData("the query gives \(samples.count) of \(least) samples" + said)
        }
        return .found(
            .pass,
            samples.map(\.value).sorted().span + " \(limit); "
                + (samples.count == 1 ? "1 sample" : "\(samples.count) samples") + said)
    }

    private static func name(_ sample: Sample) -> String {
        guard !sample.labels.isEmpty else { return "" }
        let pairs = sample.labels.sorted { $0.key < $1.key }.map { "\($0)=\"\($1)\"" }
        return PlainText.line(" of {\(pairs.joined(separator: ","))}").cut(toJSONBytes: 512)
    }

    private static func notes(_ reply: Reply) -> String {
        let all = (reply.warnings ?? []).map { "warning: \($0)" } + (reply.infos ?? [])
        guard !all.isEmpty else { return "" }
        return " (" + PlainText.line(all.joined(separator: "; ")).cut(toJSONBytes: 512) + ")"
    }
}
