import AsyncHTTPClient
import CoordinatorServer
import FleetWire
import Foundation
import NIOCore
import NIOHTTP1
import OperatorAPI
import SQLiteFile
import Testing

@Suite("The API", .serialized)
struct APITests {
    private static func access(
        _ role: AccessRole, lifetime: Milliseconds? = nil, of api: APIClient
    ) async throws -> AccessGrant {
        let request = AccessRequest(name: "\(role.rawValue)-1", role: role, lifetime: lifetime)
        return try await api.send(.POST, "/v1/access", json: request).body(AccessGrant.self)
    }

    @Test("knows who asks and what each role may do")
    func roles() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let viewer = coordinator.api(
                as: try await Self.access(.viewer, of: coordinator.api).token)
            let op = coordinator.api(
                as: try await Self.access(.operator, of: coordinator.api).token)
            let status = try await viewer.get("/v1/status").body(StatusView.self)
            #expect(status.principal.name == "viewer-1" && status.principal.role == .viewer)
            let zeros = String(repeating: "0", count: 64)
            let cases: [(HTTPMethod, String, AccessRole)] = [
                (.GET, "/v1/hosts", .viewer), (.GET, "/v1/rollouts", .viewer),
                (.GET, "/v1/audit", .viewer), (.GET, "/metrics", .viewer),
                (.GET, "/v1/quarantine", .viewer), (.POST, "/v1/rollouts", .operator),
                (.POST, "/v1/rollbacks", .operator), (.PATCH, "/v1/hosts/x/labels", .operator),
                (.POST, "/v1/points/query", .viewer), (.POST, "/v1/points", .operator),
                (.PUT, "/v1/artifacts/\(zeros)", .operator), (.GET, "/v1/tokens", .admin),
                (.GET, "/v1/access", .admin), (.POST, "/v1/hosts/x/revoke", .admin),
                (.DELETE, "/v1/quarantine/\(zeros)", .admin),
            ]
            for (method, path, role) in cases {
                let body: ByteBuffer? = method == .GET ? nil : ByteBuffer(string: "{}")
                for (client, has) in [(viewer, AccessRole.viewer), (op, .operator)] {
                    let answer = try await client.send(method, path, body.map { .bytes($0) })
                    #expect((answer.status == 403) == (has < role), "\(method) \(path) \(has)")
                }
                let none = APIClient(
                    base: coordinator.api.base, token: nil, client: coordinator.api.client)
                #expect(try await none.send(method, path).status == 401)
            }
        }
    }

    @Test("forgets revoked and expired tokens, and keeps the last admin")
    func access() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let grant = try await Self.access(.viewer, of: coordinator.api)
            let viewer = coordinator.api(as: grant.token)
            #expect(try await viewer.get("/v1/hosts").status == 200)
            let path = "/v1/access/\(grant.view.id)"
            #expect(try await coordinator.api.send(.DELETE, path).status == 204)
            #expect(try await viewer.get("/v1/hosts").status == 401)
            #expect(try await coordinator.api.send(.DELETE, path).status == 404)
            let brief = try await Self.access(
                .viewer, lifetime: Milliseconds(1), of: coordinator.api)
            try await eventually("the token expires") {
                try await coordinator.api(as: brief.token).get("/v1/hosts").status == 401
            }
            let mine = try await coordinator.api.get("/v1/status").body(StatusView.self)
            let last = try await coordinator.api.send(
                .DELETE, "/v1/access/\(mine.principal.id)")
            #expect(last.status == 409)
        }
    }

    @Test("never shows or keeps a secret")
    func secrets() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let secret = try #require(Tokens.readEnrolment(token)).secret
            let grant = try await Self.access(.viewer, of: coordinator.api)
            let bearer = try #require(Tokens.readAccess(grant.token)).secret
            let hashes = [Tokens.hash(secret).hex, Tokens.hash(bearer).hex]
            for path in ["/v1/events?after=0", "/v1/tokens", "/v1/access", "/v1/audit", "/metrics"]
            {
                let text = try await coordinator.api.get(path).text
                #expect(!text.contains(secret) && !text.contains(bearer), "\(path)")
                #expect(!hashes.contains { text.contains($0) }, "\(path)")
            }
            for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path)
            where name != "token" && name != "artifacts" {
                let bytes = try Data(
                    contentsOf: URL(fileURLWithPath: scratch.path + "/" + name))
                #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)")
                #expect(bytes.range(of: Data(bearer.utf8)) == nil, "\(name)")
            }
        }
    }

    @Test("answers every bad request with a failure that says what to do")
    func failures() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let api = coordinator.api
            func expect(_ answer: APIClient.Answer, _ status: Int, _ code: String) {
                #expect(answer.status == status && answer.code == code, "\(answer.text)")
            }
            expect(try await api.get("/v1/nothing"), 404, "not_found")
            expect(try await api.get("/v1/hosts/nobody"), 404, "not_found")
            expect(try await api.get("/v1/rollouts/none"), 404, "not_found")
            expect(try await api.get("/v1/rollouts/none/history"), 404, "not_found")
            expect(try await api.get("/v1/rollouts/none/report"), 404, "not_found")
            expect(try await api.get("/v1/events?after=x"), 400, "invalid")
            expect(try await api.send(.POST, "/v1/tokens", json: ["a": 1]), 400, "invalid")
            let deep = String(repeating: "[", count: 5000)
            expect(
                try await api.send(.POST, "/v1/plan", .bytes(ByteBuffer(string: deep))), 400,
                "invalid")
            let large = ByteBuffer(repeating: 0x20, count: 9 << 20)
            expect(try await api.send(.POST, "/v1/plan", .bytes(large)), 413, "too_large")
            let broken = LabelChange(set: ["a b": "c"], remove: [])
            expect(
                try await api.send(.PATCH, "/v1/hosts/x/labels", json: broken), 400, "invalid")
            let fine = LabelChange(set: ["a": "c"], remove: [])
            expect(
                try await api.send(.PATCH, "/v1/hosts/x/labels", json: fine), 404, "not_found")
            let rollback = RollbackRequest(
                rollout: nil, host: nil, wave: nil, scope: .full, point: nil, fast: false,
                includeLater: false, reason: nil)
            expect(try await api.send(.POST, "/v1/rollbacks", json: rollback), 400, "invalid")
        }
    }

    @Test("labels hosts, durably")
    func labels() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            _ = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let change = LabelChange(set: ["rack": "r1"], remove: ["zone"])
            let answer = try await coordinator.api.send(
                .PATCH, "/v1/hosts/h1/labels", json: change)
            #expect(try answer.body(HostView.self).labels == ["rack": "r1"])
        }
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let host = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
            #expect(host.labels == ["rack": "r1"] && !host.connected)
            let audit = try await coordinator.api.get("/v1/audit").body(AuditView.self)
            #expect(audit.brokenAt == nil && audit.records > 3)
        }
    }

    @Test("lets events be waited for, and answers when the wait is over")
    func events() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let all = try await coordinator.api.get("/v1/events?after=0").body([EventLine].self)
            let last = try #require(all.last).sequence
            #expect(all.map(\.sequence) == Array(1...last))
            let none = try await coordinator.api.get("/v1/events?after=\(last)&wait=50")
            #expect(try none.body([EventLine].self).isEmpty)
            async let waited = coordinator.api.get("/v1/events?after=\(last)&wait=20000")
            _ = try await coordinator.api.token()
            let lines = try await waited.body([EventLine].self)
            #expect(lines.map(\.kind) == ["token_made"] && lines.first?.sequence == last + 1)
            let one = try await coordinator.api.get("/v1/events?after=0&limit=1&stream=fleet")
            #expect(try one.body([EventLine].self).count == 1)
        }
    }

    @Test("starts over a journal that was changed, and names the first bad record")
    func changedJournal() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            _ = try await coordinator.api.token()
        }
        do {
            let database = try SQLiteConnection(path: scratch.path + "/journal.sqlite")
            _ = try database.execute("UPDATE journal SET actor = 'operator:x' WHERE sequence = 2")
        }
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            try await eventually("the chain's check tells the first bad record") {
                let status = try await coordinator.api.get("/v1/status").body(StatusView.self)
                return status.problems.first?.contains("from record 2 on") == true
            }
            let audit = try await coordinator.api.get("/v1/audit").body(AuditView.self)
            #expect(audit.brokenAt == 2)
        }
    }

    @Test("gives metrics in the Prometheus text format")
    func metrics() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let text = try await coordinator.api.get("/metrics").text
            for name in [
                "belay_build_info{version=", "belay_agents_connected 0", "belay_journal_sequence ",
                "belay_cert_expiry_timestamp_seconds{subject=\"coordinator\"} ",
            ] { #expect(text.contains("\n" + name), "\(name)") }
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(text.contains("# TYPE \(name) ") && text.contains("# HELP \(name) "))
            }
        }
    }
}
