import FleetWire
import RolloutCore
import RolloutPlan
import Testing

@testable import CoordinatorServer

@Suite("Metric gates")
struct MetricGateTests {
    private func finding(
        _ rule: MetricRule, _ values: [[Double]]
    ) -> GateFinding {
        rule.finding(zip(GateSamples.hosts, values).map { ($0, $1) })
    }

    @Test(
        "make one number of a window's samples",
        arguments: [
            (.mean, 2.5), (.min, 1), (.max, 4), (.last, 4), (.p50, 2), (.p95, 4),
        ] as [(MetricRule.Aggregate, Double)])
    func aggregates(_ aggregate: MetricRule.Aggregate, _ expected: Double) {
        #expect(aggregate.value(of: [1, 3, 2, 4]) == expected)
        #expect(aggregate.value(of: [7]) == 7)
        #expect(aggregate.value(of: []).isNaN)
    }

    @Test("pass only if each host keeps the limit with enough samples")
    func verdicts() {
        let rule = GateSamples.rule()
        #expect(finding(rule, [[0.5, 0.5], [0.2, 0.4]]).verdict == .pass)
        let bad = finding(rule, [[0.5, 0.5], [3, 3]])
        #expect(bad.verdict == .fail && bad.detail.contains("3 on h2"), "\(bad.detail)")
        let short = finding(rule, [[0.5, 0.5], [0.5]])
        #expect(short.verdict == nil && short.detail.contains("h2 gave 1 of 2"), "\(short.detail)")
        // A host that breaks the limit fails the gate, whatever another one lacks.
        #expect(finding(rule, [[], [3, 3]]).verdict == .fail)
        #expect(finding(rule, []).verdict == nil)
        // Nothing is never enough, whatever a plan says.
        #expect(finding(GateSamples.rule(samples: 0), [[], []]).verdict == nil)
    }

    @Test("look only at what arrived within the window, and only at what a gate asks for")
    func windows() throws {
        let rule = GateSamples.rule()
        let plan = try GateSamples.plan([GateSamples.gate(.metric(rule))])
        let id = RolloutID(unchecked: "demo-1")
        let host = GateSamples.hosts[0]
        var windows = MetricWindows()
        func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }
        windows.take(["load": 9], of: host, at: at(0))
        windows.begin(id, plan)
        for second in stride(from: Int64(5), through: 100, by: 5) {
            windows.take(
                ["load": Double(second), "other": 1, "odd": .nan], of: host, at: at(second))
        }
        #expect(windows.samples(rule, of: host, now: at(100)).min() == 40)
        #expect(windows.samples(rule, of: host, now: at(100)).count == 13)
        #expect(windows.samples(rule, of: host, now: at(161)) == [])
        // Two heartbeats at once are one sample; what is no number is none.
        windows.take(["load": 1], of: host, at: at(100))
        windows.take(["load": .infinity], of: host, at: at(101))
        #expect(windows.samples(rule, of: host, now: at(101)).count == 12)
        windows.end(id, plan)
        #expect(windows.samples(rule, of: host, now: at(100)) == [])
        #expect(windows.rollouts == [])
    }

    @Test("keep what another rollout still asks for, and no more samples than the limit")
    func bounds() throws {
        var long = GateSamples.rule()
        long.window = .seconds(1_000_000)
        let plan = try GateSamples.plan([GateSamples.gate(.metric(long))])
        let host = GateSamples.hosts[1]
        let (one, two) = (RolloutID(unchecked: "a"), RolloutID(unchecked: "b"))
        var windows = MetricWindows()
        windows.begin(one, plan)
        windows.begin(two, plan)
        windows.end(one, plan)
        let last = Int64(GateLimits.samplesMax) + 10
        for second in 1...last {
            windows.take(["load": 1], of: host, at: Timestamp(milliseconds: second * 1000))
        }
        let now = Timestamp(milliseconds: last * 1000)
        #expect(windows.samples(long, of: host, now: now).count == GateLimits.samplesMax)
    }
}
