import FleetWire
import Foundation
import OperatorAPI
import RolloutCore
import Testing

@Suite("Who a host is, with real processes", .serialized)
struct IdentityTests {
    @Test("A revoked host loses its live connection, stays out, and plans do not see it")
    func revocation() async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            let revoked = try await fleet.belay("host", "revoke", "a1", "--reason", "stolen")
            #expect(revoked.status == 0, "\(revoked.summary)")
            try await eventually("its connection ends") { try await !fleet.view("a1").connected }
            #expect(try await fleet.view("a1").revoked == "stolen")
            try await eventually("it is turned away when it dials again") {
                fleet.logged("coordinator").contains("host a1 was revoked: stolen")
            }
            #expect(fleet.logged("a1").contains("revoked: stolen"))
            #expect(try await !fleet.view("a1").connected)
            #expect(fleet.agents["a1"]?.isRunning == true)

            let applied = try await fleet.belay(
                "apply", try fleet.plan(TestPlan().yaml), "--auto-approve")
            #expect(applied.status == 0, "\(applied.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "1\n")
            #expect(fleet.read("b1", "opt/app/release") == "2\n")

            try await fleet.agents["a1"]?.killNow()
            let token = try await fleet.token(for: "a1")
            let back = try await fleet.enrol("a1", at: fleet.root("a1"), token: token)
            #expect(back.status == 0, "\(back.summary)")
            try fleet.startAgent("a1")
            try await fleet.allConnected()
        }
    }

    @Test(
        "Certificates renew themselves on a live agent, which works on when the old ones are over")
    func renewal() async throws {
        let options = TestFleet.Options(coordinator: ["--host-certificate-lifetime", "5s"])
        try await withFleet(["a1"], options) { fleet in
            let first = try await fleet.view("a1").certificateEnds
            let firstFile = fleet.read("a1", "var/lib/belay/host.pem")
            let firstKey = fleet.read("a1", "var/lib/belay/host.key")
            try await eventually("a later certificate is granted, and the first one is over") {
                try await fleet.view("a1").certificateEnds > first
                    && Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) > first
            }
            #expect(fleet.read("a1", "var/lib/belay/host.pem") != firstFile)
            #expect(fleet.read("a1", "var/lib/belay/host.key") != firstKey)
            #expect(try await fleet.view("a1").connected)
            // The host dials anew after its last step: the new certificate opens the door.
            let applied = try await fleet.belay(
                "apply", try fleet.plan(TestPlan().yaml), "--auto-approve")
            #expect(applied.status == 0, "\(applied.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
        }
    }

    @Test("A host whose certificate has ended is told so, and to enrol again")
    func expired() async throws {
        let options = TestFleet.Options(coordinator: ["--host-certificate-lifetime", "5s"])
        try await withFleet(["a1"], options) { fleet in
            try await fleet.agents["a1"]?.killNow()
            let ends = try await fleet.view("a1").certificateEnds
            try await eventually("the certificate ends") {
                Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) > ends
            }
            try fleet.startAgent("a1")
            try await eventually("the agent says what to do") {
                fleet.logged("a1").contains("belay-agent enroll")
            }
            #expect(fleet.logged("a1").contains("has ended"))
            try await eventually("the coordinator says who was refused and why") {
                fleet.logged("coordinator").contains("certificate has expired")
            }
            #expect(fleet.coordinator?.isRunning == true)
        }
    }

    @Test("A host that was given another coordinator's token enrols nowhere and keeps nothing")
    func wrongAuthority() async throws {
        try await withFleet(["a1"]) { fleet in
            let token = try await fleet.token(for: "n1")
            let other = try await TestFleet(hosts: [])
            let root = fleet.folder.appendingPathComponent("hosts/n1")
            let enrolled = try await fleet.enrol(
                "n1", at: root, token: token, coordinator: other.agentsAddress)
            await other.stop()
            #expect(enrolled.status == 12, "\(enrolled.summary)")
            #expect(enrolled.err.contains("is not the coordinator of this token"))
            let state = root.appendingPathComponent("var/lib/belay").path
            for name in ["host.key", "host.pem", "agent.json", "authority.pem"] {
                #expect(!FileManager.default.fileExists(atPath: state + "/" + name))
            }
        }
    }

    @Test("Of two agents with one identity the second is turned away, and no other host suffers")
    func twins() async throws {
        try await withFleet(["a1", "b1"]) { fleet in
            let copy = fleet.root("a1-copy")
            let copied = try await ChildProcess.run(
                "/bin/cp", ["-a", fleet.root("a1").path, copy.path])
            #expect(copied.status == 0, "\(copied.summary)")
            let twin = try ChildProcess(
                "belay-agent", ["run", "--root", copy.path], log: fleet.log("a1-copy"))
            try await eventually("the copy is turned away") {
                fleet.logged("a1-copy").contains("two agents use the identity of a1")
            }
            #expect(fleet.logged("coordinator").contains("two agents use the identity of a1"))
            let named = try await fleet.view("a1")
            #expect(named.connected && named.troubles.map(\.kind) == ["identity_in_use_twice"])
            var plan = TestPlan(name: "beside")
            plan.targets = "{hosts: [b1]}"
            let beside = try await fleet.belay(
                "apply", try fleet.plan(plan.yaml), "--auto-approve")
            #expect(beside.status == 0, "\(beside.summary)")
            #expect(fleet.coordinator?.isRunning == true)

            try await twin.killNow()
            let after = try await fleet.belay(
                "apply", try fleet.plan(TestPlan().yaml), "--auto-approve")
            #expect(after.status == 0, "\(after.summary)")
            #expect(fleet.read("a1", "opt/app/release") == "2\n")
            #expect(
                FileManager.default.contents(atPath: copy.path + "/opt/app/release")
                    == Data("1\n".utf8))
            let audit = try await fleet.belay("audit", "verify")
            #expect(audit.status == 0, "\(audit.summary)")
        }
    }

    @Test(
        "A host with a wrong clock is named by `host list`, `host show` and `plan`, and still served",
        .enabled(if: WrongClock.compiler != nil, "needs a C compiler for the wrong clock"))
    func wrongClock() async throws {
        try await withFleet(["a1"]) { fleet in
            let clock = try await WrongClock(in: fleet.folder)
            try await fleet.agents["a1"]?.killNow()
            try fleet.startAgent("a1", environment: clock.environment(seconds: 7230))
            try await eventually("it is back with its wrong clock") {
                let view = try await fleet.view("a1")
                return view.connected && (view.clockSkew?.count ?? 0) > 7_000_000
            }
            let list = try await fleet.belay("host", "list")
            #expect(list.out.contains("connected, clock 2h"), "\(list.summary)")
            let show = try await fleet.belay("host", "show", "a1")
            #expect(show.out.contains("ahead of the coordinator's; set it"), "\(show.summary)")
            let path = try fleet.plan(TestPlan().yaml)
            let planned = try await fleet.belay("plan", path)
            #expect(planned.all.contains("the clock of a1 is off by 72"), "\(planned.summary)")
            let applied = try await fleet.belay("apply", path, "--auto-approve")
            #expect(applied.status == 0, "\(applied.summary)")
        }
    }

    @Test(
        "A host whose clock is far behind is told to set it when it enrols",
        .enabled(if: WrongClock.compiler != nil, "needs a C compiler for the wrong clock"))
    func clockBehind() async throws {
        try await withFleet(["a1"]) { fleet in
            let clock = try await WrongClock(in: fleet.folder)
            let enrolled = try await fleet.enrol(
                "n1", at: fleet.folder.appendingPathComponent("hosts/n1"),
                token: try await fleet.token(for: "n1"),
                environment: clock.environment(seconds: -86_400))
            #expect(enrolled.status == 12, "\(enrolled.summary)")
            #expect(enrolled.err.contains("clock"), "\(enrolled.summary)")
        }
    }
}
