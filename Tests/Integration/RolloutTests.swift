import OperatorAPI
import FleetWire
import Foundation
import RolloutCore
import Testing

@Suite("Whole rollouts with real processes", .serialized)
struct RolloutTests {
    @Test("A plan changes nothing, its digest binds, and the rollout reaches every host")
    func forward() async throws {
        try await withFleet(["a1", "a2", "b1"]) { fleet in
            let before = try fleet.hosts.map { try fleet.tree($0) }
            let path = try fleet.plan(TestPlan().yaml)
            let planned = try await fleet.belay("plan", path, "-o", "json")
            #expect(planned.status == 0, "\(planned.summary)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
            let digest = try #require(try planned.json()["digest"] as? String)

            let applied = try await fleet.belay("apply", path, "--digest", digest)
            #expect(applied.status == 0, "\(applied.summary)")
            for host in fleet.hosts {
                #expect(fleet.read(host, "opt/app/release") == "2\n")
                #expect(fleet.read(host, "etc/app/app.conf") == "version=2\nhost=\(host)\n")
            }
            let stale = try await fleet.belay("apply", path, "--digest", digest)
            #expect(stale.status == 14, "\(stale.summary)")
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "\(audit.summary)")
        }
    }

    @Test("A whole rollout is taken back bit for bit, and one component of one host alone")
    func back() async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            let before = try fleet.hosts.map { try fleet.tree($0) }
            let path = try fleet.plan(TestPlan().yaml)
            let applied = try await fleet.belay("apply", path, "--auto-approve")
            #expect(applied.status == 0, "\(applied.summary)")
            let id = try #require(try await fleet.rollouts().first).id.rawValue

            let part = try await fleet.belay(
                "rollback", id, "--host", "a1", "--scope", "flags", "--reason", "flags only")
            #expect(part.status == 0, "\(part.summary)")
            #expect(!part.err.contains("made the rollout"), "old events: \(part.err)")
            #expect(part.err.contains("admin ordered `rollback`"), "\(part.err)")
            #expect(
                fleet.read("a1", "etc/app/flags.json") == TestFleet.skeleton["etc/app/flags.json"])
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            #expect(
                fleet.read("b1", "etc/app/flags.json") != TestFleet.skeleton["etc/app/flags.json"])

            let whole = try await fleet.belay("rollback", id, "--reason", "all of it")
            #expect(whole.status == 0, "\(whole.summary)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
        }
    }

    @Test("Once the budget is spent no other host is touched, and the failed one is as it was")
    func budget() async throws {
        try await withFleet(["a1", "a2", "b1"]) { fleet in
            let before = try fleet.hosts.map { try fleet.tree($0) }
            var plan = TestPlan(name: "bad")
            plan.extraSteps = [TestPlan.counted("explode", then: "exit 1")]
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve")
            #expect(applied.status == 9, "\(applied.summary)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
            let touched = fleet.hosts.filter { fleet.read($0, "var/log/steps") != nil }
            // The domain with the fewest hosts goes first.
            #expect(touched == ["b1"])

            let again = try await fleet.belay("apply", try fleet.plan(plan.yaml), "--auto-approve")
            #expect(again.status == 14, "a quarantined plan went through: \(again.summary)")
        }
    }

    @Test("A check that cannot be answered never lets a wave pass")
    func unknownIsNoPass() async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            let before = try fleet.hosts.map { try fleet.tree($0) }
            var plan = TestPlan(name: "blind")
            plan.checks = [
                "{name: space, level: critical, timeout: 5s, "
                    + "disk_space: {path: /not/there, bytes_min: 1MB}}"
            ]
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve")
            #expect(applied.status == 9, "\(applied.summary)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
        }
    }

    @Test("A held host refuses a second rollout, and a pause holds")
    func heldAndPaused() async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            var plan = TestPlan(name: "waits")
            plan.approval = true
            let path = try fleet.plan(plan.yaml)
            let applied = try await fleet.belay("apply", path, "--auto-approve", "--detach")
            #expect(applied.status == 0, "\(applied.summary)")
            let other = try fleet.plan(TestPlan(name: "second").yaml, named: "second")
            let refused = try await fleet.belay("apply", other, "--auto-approve")
            #expect(refused.status == 14, "\(refused.summary)")
            #expect(refused.err.contains("waits-"), "\(refused.summary)")
            let id = try #require(try await fleet.rollouts().first).id.rawValue
            let why = try await fleet.belay("rollout", "why", id)
            #expect(why.out.contains("approv"), "\(why.summary)")
            let aborted = try await fleet.belay("rollout", "abort", id, "--reason", "test")
            #expect(aborted.status == 0 || aborted.status == 11, "\(aborted.summary)")
            #expect(try await fleet.ended().state == .aborted)
            #expect(fleet.read("a1", "opt/app/release") == "1\n")
        }
    }
}
