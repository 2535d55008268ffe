import FleetWire
import RolloutCore
import RolloutPlan

@testable import CoordinatorServer

/// Gates for tests.
enum GateSamples {
    static let hosts = ["h1", "h2"].map { HostID(unchecked: $0) }

    static func plan(_ gates: [ResolvedGate] = []) throws -> ResolvedPlan {
        var plan = try RolloutTests.plan().resolve(
            against: hosts.map { FleetHost(id: $0, labels: [:]) })
        for wave in plan.waves.indices { plan.waves[wave].gates = gates }
        return plan
    }

    static func gate(_ probe: GateProbe) -> ResolvedGate {
        ResolvedGate(
            name: "g", probe: probe, every: .seconds(1), inconclusiveFor: .seconds(60))
    }

    static func work(_ probe: GateProbe) throws -> GateWork {
        guard
            let work = GateWork(
                RolloutID(unchecked: "demo-1"), try plan(), wave: "canary", gate: gate(probe),
                round: 3, hosts: hosts)
        else { throw Late(what: "a plan") }
        return work
    }

    static func rule(
        _ aggregate: MetricRule.Aggregate = .mean, _ comparison: Comparison = .below,
        _ limit: Double = 1, samples: Int = 2
    ) -> MetricRule {
        MetricRule(
            metric: "load", aggregate: aggregate, comparison: comparison, limit: limit,
            window: .seconds(60), samplesMin: samples)
    }

    static func query(
        _ text: String, _ comparison: Comparison = .below, _ limit: Double = 1,
        samples: Int = 1, url: String = "http://127.0.0.1:1"
    ) -> PrometheusRule {
        PrometheusRule(
            url: url, query: text, comparison: comparison, limit: limit, samplesMin: samples,
            timeout: .seconds(5))
    }
}
