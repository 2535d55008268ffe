import RolloutCore
import Testing

/// Promises 3, 4 and 6 of DESIGN section 10 under random faults; a seed replays its run.
@Suite struct SeededTests {
    @Test func `No seed breaks a promise`() {
        var ends: [String: Int] = [:]
        for seed in UInt64(1)...400 {
            guard var run = SeededRun(seed: seed) else {
                Issue.record("no plan")
                return
            }
            run.run()
            #expect(run.complaints.isEmpty, "\(run.complaints.prefix(3).joined(separator: "\n"))")
            ends[run.machine.view(now: run.now)?.state.rawValue ?? "none", default: 0] += 1
        }
        // A run that never succeeds, or never rolls back, would check little.
        #expect((ends["succeeded"] ?? 0) > 20, "\(ends)")
        #expect((ends["rolled_back"] ?? 0) > 20, "\(ends)")
    }
}
