import FleetWire
import Foundation
import OperatorAPI
import RolloutCore
import Testing

@Suite("Steps that cannot be taken back, with real processes", .serialized)
struct PointOfNoReturnTests {
    private static let dropped = """
        {name: drop, irreversible: true, timeout: 60s, \
        run: {shell: "mkdir -p $BELAY_ROOT/var/log; echo drop >> $BELAY_ROOT/var/log/steps"}}
        """

    /// Two hosts at once; `a1` fails after the point of no return.
    private func plan(_ name: String) -> TestPlan {
        var plan = TestPlan(name: name)
        plan.waves = ["{name: all, soak: 0s}"]
        plan.confirmWithin = "5s"
        plan.coordinatorLost = "rollback"
        plan.pointOfNoReturn = true
        plan.extraSteps = [
            Self.dropped,
            """
            {name: after, timeout: 60s, run: {shell: "test ! -e $BELAY_ROOT/var/fails"}}
            """,
        ]
        return plan
    }

    private func fail(_ fleet: TestFleet, _ host: String) throws {
        let folder = fleet.root(host).appendingPathComponent("var")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appendingPathComponent("fails"))
    }

    /// Applies the plan; a person opens the point of no return.
    private func applied(_ fleet: TestFleet, _ plan: TestPlan) async throws -> String {
        let applied = try await fleet.belay(
            "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
        #expect(applied.status == 0, "\(applied.summary)")
        let id = try #require(try await fleet.rollouts().first).id.rawValue
        try await eventually("the point of no return opens") {
            try await fleet.belay("rollout", "approve", id, "--reason", "go").status == 0
        }
        return id
    }

    private func status(_ fleet: TestFleet, _ host: String) async throws -> String {
        try await ChildProcess.run(
            "belay-agent", ["status", "--root", fleet.root(host).path]
        ).out
    }

    @Test("A host that fails past it is held, refuses to go back, and goes back by the words")
    func heldAndBack() async throws {
        try await withFleet(["a1"]) { fleet in
            try fail(fleet, "a1")
            let before = try fleet.tree("a1")
            let id = try await applied(fleet, plan("drop-a"))
            try await eventually("the rollout pauses with a1 held") {
                try await fleet.belay("rollout", "show", id, "-o", "json").out
                    .contains("past the point of no return")
            }
            try await eventually("a1 is held") {
                try await status(fleet, "a1").contains("held past the point of no return")
            }
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            #expect(fleet.read("a1", "var/log/steps") == "drop\n")

            let plain = try await fleet.belay("rollback", id, "--reason", "no words")
            #expect(plain.status != 0, "\(plain.summary)")
            let words = try await fleet.belay("rollback", id, "--across-point-of-no-return")
            #expect(words.status == 5 || words.status == 3, "\(words.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "2\n")

            let back = try await fleet.belay(
                "rollback", id, "--across-point-of-no-return", "--reason", "the dump is back")
            #expect(back.status == 0 || back.status == 9, "\(back.summary)")
            try await eventually("a1 is in its old state") { try fleet.tree("a1") == before }
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "\(audit.summary)")
        }
    }

    @Test("With no coordinator a host whose agent was killed past it is held until told there")
    func onTheHost() async throws {
        try await withFleet(["a1"]) { fleet in
            let before = try fleet.tree("a1")
            var plan = plan("drop-b")
            plan.confirmWithin = "1s"
            plan.extraSteps = [
                Self.dropped,
                "{name: linger, timeout: 60s, run: {shell: \"sleep 2\"}}",
            ]
            _ = try await applied(fleet, plan)
            try await eventually("the point is crossed") {
                fleet.read("a1", "var/log/steps") == "drop\n"
            }
            try await fleet.coordinator?.killNow()
            try await fleet.agents["a1"]?.killNow()
            try await eventually("no guard is left") {
                fleet.processesOfThisFleet().isEmpty
            }
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            try fleet.startAgent("a1")
            try await eventually("a1 is held") {
                try await status(fleet, "a1").contains("held past the point of no return")
            }
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            #expect(fleet.read("a1", "var/log/steps") == "drop\n")

            let root = ["--root", fleet.root("a1").path]
            let plain = try await ChildProcess.run("belay-agent", ["rollback"] + root)
            #expect(plain.status == 3, "\(plain.summary)")
            #expect(plain.err.contains("--across-point-of-no-return"), "\(plain.summary)")
            let words = try await ChildProcess.run(
                "belay-agent", ["rollback", "--across-point-of-no-return"] + root)
            #expect(words.status == 5, "\(words.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            let back = try await ChildProcess.run(
                "belay-agent",
                ["rollback", "--across-point-of-no-return", "--reason", "the dump is back"] + root)
            #expect(back.status == 0, "\(back.summary)")
            #expect(try fleet.tree("a1") == before)
        }
    }
}
