import FleetWire
import Foundation
import Glibc
import OperatorAPI
import RolloutCore
import Testing

@Suite("Artifacts that are lost or damaged, with real processes", .serialized)
struct ArtifactTests {
    /// An archive of some megabytes that do not compress, and its place in the coordinator's store.
    private static func archive(_ fleet: TestFleet) async throws -> String {
        let folder = fleet.folder.appendingPathComponent("bundle")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var bytes = [UInt8](repeating: 0, count: 3 << 20)
        for index in bytes.indices { bytes[index] = UInt8.random(in: .min ... .max) }
        try Data(bytes).write(to: folder.appendingPathComponent("model.bin"))
        let path = fleet.folder.appendingPathComponent("app.tar.gz").path
        let made = try await ChildProcess.run(
            "/bin/tar", ["-czf", path, "-C", folder.path, "model.bin"])
        guard made.status == 0 else { throw Trouble(made.summary) }
        return path
    }

    private static func stored(_ fleet: TestFleet) throws -> String {
        let folder = fleet.state + "/artifacts"
        guard let name = try FileManager.default.contentsOfDirectory(atPath: folder).first else {
            throw Trouble("no artifact is stored")
        }
        return folder + "/" + name
    }

    /// Applies a plan that waits for approval, so that its artifact is stored and not yet fetched.
    private static func waiting(_ fleet: TestFleet) async throws -> String {
        var plan = TestPlan(name: "bundle")
        plan.artifact = try await archive(fleet)
        plan.approval = true
        let applied = try await fleet.belay(
            "apply", try fleet.plan(plan.yaml), "--auto-approve", "--detach")
        guard applied.status == 0, let rollout = try await fleet.rollouts().first else {
            throw Trouble(applied.summary)
        }
        return rollout.id.rawValue
    }

    @Test(
        "An artifact that the coordinator lost or damaged stops the rollout before any host changed",
        arguments: ["gone", "corrupted", "cut short"])
    func store(damage: String) async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            let before = try fleet.hosts.map { try fleet.tree($0) }
            let id = try await Self.waiting(fleet)
            let path = try Self.stored(fleet)
            switch damage {
            case "gone": unlink(path)
            case "corrupted":
                var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: URL(fileURLWithPath: path))
            default: truncate(path, 1 << 20)
            }
            let approved = try await fleet.belay("rollout", "approve", id)
            #expect(approved.status == 0, "\(approved.summary)")
            let ended = try await fleet.ended()
            #expect(ended.state != .succeeded, "\(ended.reason)")
            let told = String(decoding: try WireJSON.encode(ended), as: UTF8.self)
            #expect(told.contains("upload it again"), "\(told)")
            #expect(try fleet.hosts.map { try fleet.tree($0) } == before)
            try await eventually("the failed rollout lets the hosts go") {
                let held = [try await fleet.view("a1"), try await fleet.view("b1")].compactMap(
                    \.heldBy)
                return held.isEmpty
            }
            for host in fleet.hosts {
                let kept = try FileManager.default.contentsOfDirectory(
                    atPath: fleet.root(host).path + "/var/lib/belay/artifacts")
                #expect(!kept.contains { !$0.hasSuffix(".part") }, "\(host) kept \(kept)")
            }

            var plan = TestPlan(name: "bundle")
            plan.artifact = fleet.folder.appendingPathComponent("app.tar.gz").path
            let again = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve", "--override-quarantine",
                "--reason", "the artifact was damaged, not bad")
            #expect(again.status == 0, "\(again.summary)")
            #expect(again.err.contains("uploaded app"), "\(again.summary)")
        }
    }

    @Test("An artifact that is damaged on its way is fetched again from where it was whole")
    func onTheWay() async throws {
        try await withFleet(["a1"], .init(relayed: true)) { fleet in
            var plan = TestPlan(name: "bundle")
            plan.artifact = try await Self.archive(fleet)
            fleet.relay?.damageOnce(after: 1 << 20)
            let applied = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve")
            #expect(applied.status == 0, "\(applied.summary)")
            #expect(fleet.relay?.damaged == 1)
            let sent = fleet.folder.appendingPathComponent("bundle/model.bin")
            #expect(
                try Data(contentsOf: sent)
                    == FileManager.default.contents(
                        atPath: fleet.root("a1").path + "/opt/app/current/model.bin"))
        }
    }
}
