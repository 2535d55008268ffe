import CoordinatorServer
import FleetTransport
import FleetWire
import Foundation
import NIOHTTP1
import OperatorAPI
import Synchronization
import Testing

@Suite("Enrolment", .serialized)
struct EnrolmentTests {
    @Test(
        "gives a certificate that opens a session, and the token's labels",
        arguments: StoreKind.allCases)
    func good(_ kind: StoreKind) async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(kind, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, welcome) = try await TestAgent.connect("h1", credentials, to: coordinator)
            #expect(welcome.host.rawValue == "h1" && welcome.acknowledged == 0)
            let host = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
            #expect(host.connected && host.labels == ["zone": "a"])
            #expect(host.facts == ["kernel": "x"])
            agent.connection.close()
            try await eventually("the host is gone") {
                try await coordinator.api.get("/v1/hosts/h1").body(HostView.self).connected == false
            }
        }
    }

    @Test("can be asked for again with the same key when the answer was lost, by no other key")
    func again() async throws {
        let scratch = try Scratch()
        var kept: (token: String, key: String)?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let token = try await coordinator.api.token(uses: 2)
            let first = try await TestAgent.enrol("h1", token: token, at: coordinator)
            kept = (token, first.key)
        }
        let (token, key) = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let again = try await TestAgent.enrol("h1", token: token, key: key, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", again, to: coordinator)
            agent.connection.close()
            let tokens = try await coordinator.api.get("/v1/tokens").body([TokenView].self)
            #expect(tokens.map(\.usesLeft) == [1])
            await #expect(throws: Refusal.self) {
                _ = try await TestAgent.enrol("h1", token: token, at: coordinator)
            }
            _ = try await TestAgent.enrol("h2", token: token, at: coordinator)
            _ = try await TestAgent.enrol("h1", token: token, key: key, at: coordinator)
            let reason = ReasonBody(reason: "stolen")
            let revoked = try await coordinator.api.send(
                .POST, "/v1/hosts/h1/revoke", json: reason)
            #expect(revoked.status == 200)
            await #expect(throws: Refusal.self, "a revoked host is not let in by its old token") {
                _ = try await TestAgent.enrol("h1", token: token, key: key, at: coordinator)
            }
        }
    }

    @Test("refuses wrong, expired, used-up and revoked tokens and other hosts'")
    func refusals() async throws {
        let scratch = try Scratch()
        let ahead = Mutex(Milliseconds.zero)
        let clock: @Sendable () -> Timestamp = { wallClock() + ahead.withLock { $0 } }
        try await RunningCoordinator.run(.memory, in: scratch, clock: clock) { coordinator in
            func code(_ name: String, _ token: String) async throws -> String {
                do {
                    _ = try await TestAgent.enrol(name, token: token, at: coordinator)
                    return "enrolled"
                } catch let refusal as Refusal {
                    return refusal.code
                }
            }
            #expect(try await code("h1", "nonsense") == "bad_token")
            let good = try await coordinator.api.token()
            var other = try #require(Tokens.readEnrolment(good))
            other.secret = Tokens.secret()
            #expect(try await code("h1", Tokens.print(other)) == "bad_token")
            #expect(try await code("h1", good) == "enrolled")
            #expect(try await code("h2", good) == "token_used")
            let only = try await coordinator.api.token(host: HostID("h3"))
            #expect(try await code("h4", only) == "wrong_host")
            let short = try await coordinator.api.token(lifetime: .seconds(1))
            ahead.withLock { $0 = .seconds(2) }
            #expect(try await code("h5", short) == "token_expired")
            let again = try await coordinator.api.token()
            #expect(try await code("h1", again) == "host_exists")
            let gone = try #require(Tokens.readEnrolment(again))
            #expect(try await coordinator.api.send(.DELETE, "/v1/tokens/\(gone.id)").status == 204)
            #expect(try await code("h6", again) == "bad_token")
        }
    }

    @Test("counts a token's uses exactly, however many hosts come at once")
    func concurrent() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let token = try await coordinator.api.token(uses: 3)
            let enrolled = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        (try? await TestAgent.enrol("c\(number)", token: token, at: coordinator))
                            != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(enrolled == 3)
            #expect(try await coordinator.api.get("/v1/hosts").body([HostView].self).count == 3)
        }
    }

    @Test("a revoked host loses its live session and cannot come back")
    func revocation() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            let answer = try await coordinator.api.send(
                .POST, "/v1/hosts/h1/revoke", json: ReasonBody(reason: "stolen"))
            #expect(answer.status == 200)
            let bye = try await agent.next()
            #expect(bye.header.type == .bye)
            #expect(try bye.body(Farewell.self).reason.contains("stolen"))
            await #expect(throws: (any Error).self) { try await agent.next() }
            await #expect(throws: (any Error).self) {
                _ = try await TestAgent.connect("h1", credentials, to: coordinator)
            }
        }
    }

    @Test("a renewed certificate works beside the one before it")
    func renewal() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let old = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", old, to: coordinator)
            let key = try CertificateRequest(for: agent.host)
            try await agent.send(.renew, RenewRequest(csr: key.request))
            let grant = try await agent.next().body(CertificateGrant.self)
            let new = TLSContext.Credentials(
                chain: grant.certificate, key: key.key, authority: grant.authority)
            let (second, _) = try await TestAgent.connect("h1", new, to: coordinator)
            // It is asked whether it still lives, and is let go of when it says nothing.
            #expect(try await agent.next().header.type == .check)
            #expect(try await agent.next().header.type == .bye)
            let (third, _) = try await TestAgent.connect("h1", old, to: coordinator)
            second.connection.close()
            third.connection.close()
        }
    }
}
