import FleetWire
import Foundation
import OperatorAPI
import RolloutCore
import Testing

@Suite("Promises, with processes killed at any moment", .serialized)
struct CrashTests {
    /// Repeatable choices; the seed stands in every failure.
    struct Dice {
        var state: UInt64
        mutating func roll(_ sides: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(sides))
        }
    }

    @Test(
        "The coordinator killed at random moments loses nothing and the rollout ends well",
        arguments: [1, 2] as [UInt64])
    func coordinatorKilled(seed: UInt64) async throws {
        try await withFleet(["a1", "a2", "b1", "b2"]) { fleet in
            var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
            var plan = TestPlan(name: "survives")
            plan.extraSteps = [TestPlan.counted("slow", then: "sleep 0.3")]
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
            #expect(applied.status == 0, "seed \(seed): \(applied.summary)")
            var seen: [EventLine] = []
            for _ in 0..<4 {
                try await Task.sleep(for: .milliseconds(50 + dice.roll(700)))
                seen = (try? await Self.events(fleet)) ?? seen
                try await fleet.coordinator?.killNow()
                try await fleet.startCoordinator()
            }
            let ended = try await fleet.ended(within: .seconds(90))
            #expect(ended.state == .succeeded, "seed \(seed): \(ended.reason)")
            let after = try await Self.events(fleet)
            #expect(Array(after.prefix(seen.count)) == seen, "seed \(seed): events were lost")
            #expect(after.map(\.sequence) == Array(1...UInt64(after.count)), "seed \(seed)")
            for host in fleet.hosts {
                #expect(fleet.read(host, "opt/app/release") == "2\n", "seed \(seed)")
                #expect(fleet.read(host, "var/log/steps") == "slow\n", "seed \(seed): \(host)")
            }
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "\(audit.summary)")
        }
    }

    private static func events(_ fleet: TestFleet) async throws -> [EventLine] {
        let listed = try await fleet.belay("events", "-o", "json")
        guard listed.status == 0 else { throw Trouble(listed.summary) }
        return try listed.out.split(separator: "\n").map {
            try WireJSON.decode(EventLine.self, from: Array($0.utf8))
        }
    }

    @Test(
        "An agent killed at random moments runs no step twice and its host ends old or new",
        arguments: [3, 4] as [UInt64])
    func agentKilled(seed: UInt64) async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
            let before = try fleet.hosts.map { try fleet.tree($0) }
            var plan = TestPlan(name: "killed")
            plan.budget = "{fleet: 0}"
            plan.confirmWithin = "5s"
            plan.extraSteps = (1...4).map { TestPlan.counted("s\($0)", then: "sleep 0.2") }
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
            #expect(applied.status == 0, "seed \(seed): \(applied.summary)")
            for _ in 0..<3 {
                try await Task.sleep(for: .milliseconds(100 + dice.roll(900)))
                try await fleet.agents["a1"]?.killNow()
                try fleet.startAgent("a1")
            }
            let ended = try await fleet.ended(within: .seconds(90))
            let steps = (fleet.read("a1", "var/log/steps") ?? "").split(separator: "\n")
            #expect(Set(steps).count == steps.count, "seed \(seed): a step ran twice: \(steps)")
            if ended.state == .succeeded {
                #expect(fleet.read("a1", "opt/app/release") == "2\n", "seed \(seed)")
            } else {
                #expect(ended.state == .rolledBack, "seed \(seed): \(ended.reason)")
                for (host, old) in zip(fleet.hosts, before) {
                    let differing = Self.differing(old, try fleet.tree(host))
                    #expect(differing.isEmpty, "seed \(seed): \(host): \(differing)")
                }
            }
        }
    }

    /// Each path that is not what it was, with both states; what failed assertions show.
    private static func differing(_ old: [String: String], _ new: [String: String]) -> [String] {
        Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }
            .map { "\($0): was \(old[$0] ?? "absent"), is \(new[$0] ?? "absent")" }
    }

    @Test("A host whose agent dies after its steps and stays dead is restored by its guard")
    func guardRestores() async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            let before = try fleet.tree("a1")
            var plan = TestPlan(name: "guarded")
            plan.confirmWithin = "3s"
            plan.coordinatorLost = "rollback"
            plan.extraSteps = [TestPlan.counted("last"), "{name: linger, wait: {span: 30s}}"]
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
            #expect(applied.status == 0, "\(applied.summary)")
            try await eventually("the last step ran") {
                fleet.read("a1", "var/log/steps") == "last\n"
            }
            try await fleet.agents["a1"]?.killNow()
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            try fleet.leaveBesideFlags("a1")
            try await eventually("the guard restores the host") {
                try fleet.tree("a1") == before
            }
            try fleet.startAgent("a1")
            let ended = try await fleet.ended(within: .seconds(90))
            #expect(ended.state == .rolledBack, "\(ended.reason)")
            #expect(fleet.read("b1", "var/log/steps") == nil)
            #expect(fleet.read("a1", "var/log/steps") == "last\n")
        }
    }

    @Test(
        "With the coordinator dead an unconfirmed host takes itself back, agent dead or not",
        arguments: [false, true])
    func coordinatorDead(agentToo: Bool) async throws {
        try await withFleet(["a1"]) { fleet in
            let before = try fleet.tree("a1")
            var plan = TestPlan(name: "alone")
            plan.waves = ["{name: all, soak: 0s}"]
            plan.confirmWithin = "2s"
            plan.coordinatorLost = "rollback"
            plan.extraSteps = [TestPlan.counted("last", then: "sleep 1")]
            _ = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
            try await eventually("the last step runs") {
                fleet.read("a1", "var/log/steps") == "last\n"
            }
            try fleet.leaveBesideFlags("a1")
            try await fleet.coordinator?.killNow()
            if agentToo { try await fleet.agents["a1"]?.killNow() }
            try await eventually("the host is taken back") {
                try fleet.tree("a1") == before
            }
        }
    }

    @Test("A coordinator started from an old copy of its state moves no host")
    func oldGeneration() async throws {
        try await withFleet(["a1"]) { fleet in
            try await fleet.coordinator?.killNow()
            let old = fleet.folder.appendingPathComponent("old").path
            try FileManager.default.copyItem(atPath: fleet.state, toPath: old)
            for _ in 0..<2 {
                try await fleet.startCoordinator()
                try await fleet.allConnected()
                try await fleet.coordinator?.killNow()
            }
            try await fleet.startCoordinator(state: old)
            try await fleet.allConnected()
            let before = try fleet.tree("a1")
            let applied = try await fleet.belay(
                "apply", try fleet.plan(TestPlan(name: "stale").yaml), "--auto-approve",
                "--detach")
            #expect(applied.status == 14, "\(applied.summary)")
            #expect(applied.err.contains("--raise-generation-to"), "\(applied.summary)")
            let status = try await fleet.belay("status")
            #expect(status.out.contains("generation"), "\(status.summary)")
            #expect(try fleet.tree("a1") == before)
            #expect(fleet.read("a1", "var/log/steps") == nil)
        }
    }
}
