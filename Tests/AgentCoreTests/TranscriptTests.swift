import AgentCore
import FleetWire
import Foundation
import Testing

/// Golden transcripts: rewritten by `BELAY_REWRITE=1 swift test --filter AgentCoreTests`.
@Suite struct TranscriptTests {
    private func hold(_ host: HostUnderTest, to name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Transcripts/\(name).txt")
        let text = host.trace.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        #expect(text == golden, "transcript \(name) differs; rewrite it and read the difference")
    }

    @Test("a change goes through all its orders and is committed")
    func happy() throws {
        var host = HostUnderTest()
        let plan = try Samples.plan()
        host.give(.started(guard: nil))
        host.give(.connected)
        for verb in [OrderVerb.prepare, .validate, .migrate] {
            host.give(Samples.order(verb, plan))
            host.settle()
        }
        host.give(.disconnected)
        host.give(.connected)
        host.give(Samples.order(.confirm, plan))
        host.settle()
        host.give(Samples.order(.commit, plan))
        host.settle()
        #expect(host.content == "old+drain+switch")
        #expect(host.guardOrder == nil)
        try hold(host, to: "committed")
    }

    @Test("a check that fails takes the host back by itself")
    func failingCheck() throws {
        var host = HostUnderTest()
        host.failing = ["health"]
        let plan = try Samples.plan()
        host.give(.started(guard: nil))
        host.give(.connected)
        host.give(Samples.order(.migrate, plan))
        host.settle()
        #expect(host.content == "old")
        #expect(host.guardOrder == nil)
        #expect(host.machine.open == nil)
        try hold(host, to: "rolled-back")
    }

    @Test("a prepare of another rollout replaces what changed nothing")
    func replaced() throws {
        var host = HostUnderTest()
        let (first, second) = (try Samples.plan("r1"), try Samples.plan("r2"))
        host.give(.started(guard: nil))
        host.give(.connected)
        for verb in [OrderVerb.prepare, .validate] {
            host.give(Samples.order(verb, first))
            host.settle()
        }
        // The release of r1 was missed.
        host.give(Samples.order(.prepare, second))
        host.settle()
        #expect(host.machine.open?.plan.rollout == second.rollout)
        #expect(host.refusals.isEmpty)
        try hold(host, to: "replaced")
    }

    @Test("a prepare of another rollout waits for the end of a preparation, then begins")
    func replacedMeanwhile() throws {
        var host = HostUnderTest()
        host.give(.started(guard: nil))
        host.give(.connected)
        host.give(Samples.order(.prepare, try Samples.plan("r1")))
        host.give(Samples.order(.prepare, try Samples.plan("r2")))
        host.give(Samples.order(.prepare, try Samples.plan("r2")))
        host.settle()
        #expect(host.machine.open?.plan.rollout.rawValue == "r2")
        #expect(host.stepsRun == ["preparation/look"])
        try hold(host, to: "replaced-meanwhile")
    }

    @Test("past the point of no return a failure holds, and only the words take the host back")
    func held() throws {
        var host = HostUnderTest()
        host.failing = ["health"]
        let plan = try Samples.plan(irreversible: ["switch"])
        host.give(.started(guard: nil))
        host.give(.connected)
        host.give(Samples.order(.migrate, plan))
        host.settle()
        host.give(Samples.order(.rollback, plan))
        host.settle()
        #expect(host.content == "old+drain+switch")
        host.give(Samples.order(.rollback, plan, across: true))
        host.settle()
        #expect(host.content == "old")
        try hold(host, to: "held")
    }

    @Test("an unreachable coordinator is waited for when the plan says hold")
    func holding() throws {
        var host = HostUnderTest()
        let plan = try Samples.plan()
        host.give(.started(guard: nil))
        host.give(.connected)
        host.give(Samples.order(.migrate, plan))
        host.settle()
        host.give(.disconnected)
        host.now = host.now + .seconds(121)
        host.give(.tick)
        host.settle()
        #expect(host.content == "old+drain+switch")
        #expect(host.guardOrder?.holding == true)
        host.give(.connected)
        host.settle()
        host.now = host.now + .seconds(121)
        host.give(.tick)
        host.settle()
        #expect(host.content == "old")
        try hold(host, to: "holding")
    }
}
