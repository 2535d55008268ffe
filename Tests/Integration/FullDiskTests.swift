import Foundation
import OperatorAPI
import RolloutCore
import Testing

@Suite(
    "Full disks, with real processes", .serialized,
    .enabled(if: SmallDisk.isAllowed, "only root can mount the small disks that these tests fill"))
struct FullDiskTests {
    @Test("A host without space for its rollback point is found before anything changed")
    func noSpaceForPoint() async throws {
        let options = TestFleet.Options(disks: ["hosts/a1/var/lib/belay": 2 << 20])
        try await withFleet(["a1", "b1"], options) { fleet in
            let large = fleet.root("a1").appendingPathComponent("opt/app/data/large.bin")
            try Data((0..<(3 << 20)).map { _ in UInt8.random(in: .min ... .max) }).write(to: large)
            let before = try fleet.hosts.map { try fleet.tree($0) }
            let path = try fleet.plan(TestPlan().yaml)
            let planned = try await fleet.belay("plan", path)
            #expect(planned.all.contains("the rollback point can take"), "\(planned.summary)")
            let applied = try await fleet.belay("apply", path, "--auto-approve")
            #expect(applied.status == 9, "\(applied.summary)")
            #expect(applied.all.contains("the rollback point can take"), "\(applied.summary)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
        }
    }

    @Test("An agent whose state is on a full disk changes nothing, says why, and goes on later")
    func agent() async throws {
        let options = TestFleet.Options(disks: ["hosts/a1/var/lib/belay": 4 << 20])
        try await withFleet(["a1"], options) { fleet in
            let before = try fleet.tree("a1")
            let disk = fleet.root("a1").path + "/var/lib/belay"
            try SmallDisk.fill(disk)
            var plan = TestPlan()
            plan.stageDeadline = "2s"
            let path = try fleet.plan(plan.yaml)
            let applied = try await fleet.belay("apply", path, "--auto-approve")
            #expect(applied.status == 9, "\(applied.summary)")
            #expect(applied.all.contains("free space on its file system"), "\(applied.summary)")
            #expect(fleet.logged("coordinator").contains("free space on the file system of"))
            #expect(try fleet.tree("a1") == before)
            #expect(fleet.agents["a1"]?.isRunning == true)
            SmallDisk.free(disk)
            try await eventually("the failed rollout lets the host go") {
                try await fleet.view("a1").heldBy == nil
            }
            plan.stageDeadline = "60s"
            _ = try fleet.plan(plan.yaml)
            let again = try await fleet.belay(
                "apply", path, "--auto-approve", "--override-quarantine", "--reason", "space")
            #expect(again.status == 0, "\(again.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
        }
    }

    @Test("A coordinator on a full disk decides nothing, says why, and goes on once there is space")
    func coordinator() async throws {
        let options = TestFleet.Options(disks: ["coordinator": 8 << 20])
        try await withFleet(["a1"], options) { fleet in
            let before = try fleet.tree("a1")
            try SmallDisk.fill(fleet.state)
            let path = try fleet.plan(TestPlan().yaml)
            let applied = try await fleet.belay("apply", path, "--auto-approve")
            #expect(applied.status == 1, "\(applied.summary)")
            #expect(applied.err.contains("the journal cannot be written"), "\(applied.summary)")
            #expect(applied.err.contains("free space"), "\(applied.summary)")
            #expect(try fleet.tree("a1") == before)
            #expect(try await fleet.rollouts().isEmpty)
            let listed = try await fleet.belay("host", "list")
            #expect(listed.status == 0, "\(listed.summary)")
            SmallDisk.free(fleet.state)
            let again = try await fleet.belay("apply", path, "--auto-approve")
            #expect(again.status == 0, "\(again.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "\(audit.summary)")
        }
    }

    @Test("An artifact that the coordinator has no room for is refused and leaves nothing")
    func upload() async throws {
        let options = TestFleet.Options(disks: ["coordinator": 8 << 20])
        try await withFleet(["a1"], options) { fleet in
            let folder = fleet.folder.path
            let made = try await ChildProcess.run(
                "/bin/tar", ["-czf", folder + "/app.tar.gz", "-C", folder, "coordinator.log"])
            #expect(made.status == 0, "\(made.summary)")
            var plan = TestPlan()
            plan.artifact = folder + "/app.tar.gz"
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve")
            #expect(applied.status == 1, "\(applied.summary)")
            #expect(applied.err.contains("free some space"), "\(applied.summary)")
            #expect(try await fleet.rollouts().isEmpty)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: fleet.state + "/artifacts")
                    .isEmpty)
        }
    }
}
