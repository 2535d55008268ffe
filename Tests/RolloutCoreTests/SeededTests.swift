import RolloutCore
import Testing

/// Promises 3, 4 and 6 of DESIGN section 10 under random faults; a seed replays its run.
@Suite struct SeededTests {
    @Test func `No seed breaks a promise`() {
        var ends: [String: Int] = [:]
        var seen: [String: Int] = [:]
        for seed in UInt64(1)...600 {
            guard var run = SeededRun(seed: seed) else {
                Issue.record("no plan")
                return
            }
            run.run()
            #expect(run.complaints.isEmpty, "\(run.complaints.prefix(3).joined(separator: "\n"))")
            for word in run.seen { seen[word, default: 0] += 1 }
            ends[run.machine.view(now: run.now)?.state.rawValue ?? "none", default: 0] += 1
        }
        for word in ["closed", "passed", "differs", "alone", "grew", "queued", "replaced"] {
            #expect((seen[word] ?? 0) >= 5, "\(word): \(seen)")
        }
        // A run that never succeeds, or never rolls back, would check little.
        #expect((ends["succeeded"] ?? 0) > 20, "\(ends)")
        #expect((ends["rolled_back"] ?? 0) > 20, "\(ends)")
    }
}
