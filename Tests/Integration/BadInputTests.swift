import Foundation
import Glibc
import Testing

@Suite("Bad input and faults, with real processes", .serialized)
struct BadInputTests {
    @Test("Each wrong call has its own exit code and says what to do")
    func exitCodes() async throws {
        try await withFleet(["a1"]) { fleet in
            let good = try fleet.plan(TestPlan().yaml)
            let before = try fleet.tree("a1")
            func expect(
                _ status: Int32, _ words: String, _ arguments: [String],
                _ comment: Comment? = nil
            ) async throws {
                let result = try await fleet.belay(arguments)
                #expect(result.status == status, "\(arguments): \(result.summary)")
                #expect(
                    (result.err + result.out).contains(words), "\(arguments): \(result.summary)")
            }
            let malformed = try fleet.plan("belay: 1\nname: [", named: "malformed")
            try await expect(3, "malformed.yaml:", ["lint", malformed])
            try await expect(3, "malformed.yaml:", ["apply", malformed, "--auto-approve"])
            var unknown = TestPlan()
            unknown.budget = "{fleet: 0, flet: 1}"
            try await expect(3, "fleet", ["lint", try fleet.plan(unknown.yaml, named: "unknown")])
            var nobody = TestPlan()
            nobody.targets = #"{selector: "app=nothing"}"#
            let empty = try fleet.plan(nobody.yaml, named: "nobody")
            try await expect(3, "app=nothing", ["plan", empty])
            try await expect(3, "app=nothing", ["apply", empty, "--auto-approve"])
            try await expect(
                14, "moved since",
                ["apply", good, "--digest", "sha256:" + String(repeating: "0", count: 64)])
            try await expect(13, "nothing-here", ["rollout", "show", "nothing-here"])
            try await expect(13, "zz", ["host", "show", "zz"])
            try await expect(5, "frobnicate", ["rollout", "frobnicate"])
            try await expect(5, "scope", ["rollback", "x", "--scope", "half"])
            #expect(try fleet.tree("a1") == before)
        }
    }

    @Test("A wrong token, a coordinator that is away and a port in use are told apart")
    func connections() async throws {
        try await withFleet(["a1"]) { fleet in
            let ca = fleet.state + "/authority.pem"
            let stranger = try await ChildProcess.run(
                "belay", ["host", "list"],
                environment: [
                    "BELAY_ADDR": "https://\(fleet.api)", "BELAY_TOKEN": "belay_abc_def",
                    "BELAY_CACERT": ca,
                ])
            #expect(stranger.status == 12, "\(stranger.summary)")
            let away = try await ChildProcess.run(
                "belay", ["host", "list"],
                environment: [
                    "BELAY_ADDR": "https://127.0.0.1:1", "BELAY_TOKEN": fleet.token,
                    "BELAY_CACERT": ca,
                ])
            #expect(away.status == 4, "\(away.summary)")
            let second = fleet.folder.appendingPathComponent("second").path
            _ = try await ChildProcess.run("belay-coordinator", ["init", "--state", second])
            let taken = try await ChildProcess.run(
                "belay-coordinator",
                ["run", "--state", second, "--agents", fleet.agentsAddress, "--api", "127.0.0.1:0"])
            #expect(taken.status == 1, "\(taken.summary)")
            #expect(taken.err.contains("in use"), "\(taken.summary)")
            let twice = try await ChildProcess.run(
                "belay-coordinator",
                ["run", "--state", fleet.state, "--agents", "127.0.0.1:0", "--api", "127.0.0.1:0"])
            #expect(twice.status == 1, "\(twice.summary)")
            let again = try await ChildProcess.run(
                "belay-coordinator", ["init", "--state", fleet.state])
            #expect(again.status != 0, "\(again.summary)")
        }
    }

    @Test("State that others can read is refused with the command that mends it")
    func wideModes() async throws {
        try await withFleet(["a1"]) { fleet in
            let agentState = fleet.root("a1").appendingPathComponent("var/lib/belay").path
            try await fleet.agents["a1"]?.killNow()
            chmod(agentState + "/host.key", 0o644)
            let agent = try await ChildProcess.run(
                "belay-agent", ["run", "--root", fleet.root("a1").path])
            #expect(agent.status != 0)
            #expect(agent.err.contains("chmod 0600"), "\(agent.summary)")
            try await fleet.coordinator?.killNow()
            chmod(fleet.state, 0o755)
            let coordinator = try await ChildProcess.run(
                "belay-coordinator", ["run", "--state", fleet.state])
            #expect(coordinator.status != 0)
            #expect(coordinator.err.contains("chmod 0700"), "\(coordinator.summary)")
        }
    }

    @Test("Expired, used and unknown tokens enrol nobody")
    func tokens() async throws {
        try await withFleet(["a1"]) { fleet in
            func enrol(_ token: String, _ host: String) async throws -> ChildProcess.Output {
                try await ChildProcess.run(
                    "belay-agent",
                    [
                        "enroll", "--coordinator", fleet.agentsAddress, "--token", token, "--host",
                        host, "--root", fleet.folder.appendingPathComponent("x-\(host)").path,
                    ])
            }
            let once = try await fleet.belay("token", "create", "--uses", "1", "-o", "json")
            let token = try #require(try once.json()["token"] as? String)
            #expect(try await enrol(token, "n1").status == 0)
            let used = try await enrol(token, "n2")
            #expect(used.status == 12, "\(used.summary)")
            #expect(used.err.contains("belay token create"), "\(used.summary)")
            let short = try await fleet.belay(
                "token", "create", "--uses", "9", "--lifetime", "1s", "-o", "json")
            let expiring = try #require(try short.json()["token"] as? String)
            try await eventually("the token expires") {
                try await enrol(expiring, "n3").err.contains("expired")
            }
            #expect(try await enrol("belay-enroll-v1.nonsense", "n4").status != 0)
        }
    }

    @Test("Garbage on both ports and in the journal crashes nothing")
    func garbage() async throws {
        try await withFleet(["a1"]) { fleet in
            for address in [fleet.agentsAddress, fleet.api] {
                let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
                for length in [1, 5, 600, 70_000] {
                    try Self.send(
                        (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }, to: port)
                }
            }
            try await fleet.allConnected()
            #expect(fleet.coordinator?.isRunning == true)

            try await fleet.coordinator?.killNow()
            let journal = fleet.state + "/journal.sqlite"
            var bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
            for index in stride(from: 0, to: bytes.count, by: 97) { bytes[index] ^= 0x5A }
            try bytes.write(to: URL(fileURLWithPath: journal))
            let started = try await ChildProcess.run(
                "belay-coordinator", ["run", "--state", fleet.state])
            #expect(started.status == 1, "\(started.summary)")
            #expect(started.err.contains("journal"), "\(started.summary)")
        }
    }

    private static func send(_ bytes: [UInt8], to port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw Trouble("connect: \(errno)") }
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
