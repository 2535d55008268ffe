import FleetSimulation
import FleetWire
import RolloutCore
import Testing

@Suite("What simulated runs came to")
struct SummaryTests {
    @Test(
        "a percentile is the span that so many took no longer than",
        arguments: [
            ([5], 5, 5), ([2, 1], 1, 2), ([3, 1, 2], 2, 3), (Array(1...10), 5, 10),
            (Array(1...19), 10, 19), (Array(1...20), 10, 19), (Array(1...100), 50, 95),
        ] as [([Int64], Int64, Int64)])
    func spread(spans: [Int64], median: Int64, p95: Int64) {
        let spread = RunSummary.Spread(of: spans.map(Milliseconds.init))
        #expect(spread?.median.count == median)
        #expect(spread?.p95.count == p95)
    }

    @Test("of nothing there is no spread")
    func nothing() { #expect(RunSummary.Spread(of: []) == nil) }

    @Test("the time to complete begins when the rollout is made", arguments: [3, 14])
    func tookBeginsWithRollout(seed: UInt64) throws {
        var setup = SimulatedRun.Setup.random(seed: seed, faults: [])
        setup.isDrawn = true
        var run = SimulatedRun(setup, seed: seed)
        let result = run.run()
        let rollout = try #require(result.timeline?.rollout)
        let made = try #require(rollout.first?.at)
        let ended = try #require(rollout.last { $0.what == .succeeded }?.at)
        #expect(made >= 2000)
        #expect(result.took?.count == ended - made)
    }
}
