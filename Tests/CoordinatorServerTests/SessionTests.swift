import CoordinatorServer
import FleetTransport
import FleetWire
import Foundation
import NIOHTTP1
import OperatorAPI
import Synchronization
import Testing

@Suite("Sessions", .serialized)
struct SessionTests {
    @Test("acknowledge reports on unknown rollouts, once they are durable, over a restart")
    func strayReports() async throws {
        let scratch = try Scratch()
        var kept: TLSContext.Credentials?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            kept = credentials
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            for (sequence, expected): (UInt64, UInt64) in [(1, 1), (2, 2), (2, 2), (1, 2)] {
                try await agent.send(.report, agent.report(sequence))
                #expect(try await agent.next().body(Acknowledgement.self).upTo == expected)
            }
            agent.connection.close()
        }
        let credentials = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let (agent, welcome) = try await TestAgent.connect("h1", credentials, to: coordinator)
            #expect(welcome.acknowledged == 2)
            let status = try await coordinator.api.get("/v1/status").body(StatusView.self)
            #expect(status.generation == Generation(rawValue: 2))
            agent.connection.close()
        }
    }

    @Test("ask again for reports that are missing, and start anew after a new enrolment")
    func gaps() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            try await agent.send(.report, agent.report(1))
            #expect(try await agent.next().body(Acknowledgement.self).upTo == 1)
            try await agent.send(.report, agent.report(3))
            #expect(try await agent.next().header.type == .bye)
            let other = try await coordinator.api.token(host: HostID("h1"))
            let new = try await TestAgent.enrol("h1", token: other, at: coordinator)
            let (again, welcome) = try await TestAgent.connect("h1", new, to: coordinator)
            #expect(welcome.acknowledged == 0)
            try await again.send(.report, again.report(1))
            #expect(try await again.next().body(Acknowledgement.self).upTo == 1)
            again.connection.close()
        }
    }

    @Test("answer heartbeats, refuse what they do not know, and survive garbage")
    func messages() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            try await agent.send(.heartbeat, Heartbeat(now: wallClock(), metrics: ["load": 0.5]))
            #expect(try await agent.next().header.type == .heartbeat)
            try await agent.send(MessageType(rawValue: "dance"), ["x": 1])
            #expect(try await agent.next().header.type == .unsupported)
            let host = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
            #expect(host.metrics == ["load": 0.5])
            try await agent.connection.send(Array("{\"type\":\"report\",\"id\":\"x\"}".utf8))
            #expect(try await agent.next().header.type == .bye)
            #expect(try await coordinator.api.get("/v1/status").status == 200)
        }
    }

    @Test("of a host that reports without end are ended, and what it has to say is taken later")
    func flood() async throws {
        let scratch = try Scratch()
        let late = Mutex<Int64>(0)
        let clock: @Sendable () -> Timestamp = { wallClock() + .seconds(late.withLock { $0 }) }
        try await RunningCoordinator.run(.memory, in: scratch, clock: clock) { coordinator in
            let token = try await coordinator.api.token(lifetime: .seconds(864_000))
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            func long(_ agent: TestAgent, _ number: UInt64) -> TransactionReport {
                var report = agent.report(number)
                report.failure = String(repeating: "x", count: 900_000)
                return report
            }
            var number: UInt64 = 0
            var farewell: Farewell?
            while farewell == nil, number < 200 {
                number += 1
                try await agent.send(.report, long(agent, number))
                let answer = try await agent.next()
                if answer.header.type == .bye { farewell = try answer.body(Farewell.self) }
            }
            #expect(farewell?.retryAfter == .seconds(30))
            // 64 MiB hold 74 reports of 0.9 MB; the next one is too much.
            #expect(number == 75)
            late.withLock { $0 = 3600 }
            let (again, welcome) = try await TestAgent.connect("h1", credentials, to: coordinator)
            #expect(welcome.acknowledged == number - 1)
            try await again.send(.report, long(again, number))
            #expect(try await again.next().body(Acknowledgement.self).upTo == number)
            again.connection.close()
        }
    }

    @Test("that begin after the coordinator's certificate was renewed see the new one")
    func renewal() async throws {
        let scratch = try Scratch()
        // Made long ago, its certificate became due eight hours ago, and the clock is late by 17.
        let made = wallClock() + .seconds(-265 * 86_400)
        let late = Mutex<Int64>(17 * 3600)
        let clock: @Sendable () -> Timestamp = {
            wallClock() + .seconds(-late.withLock { $0 })
        }
        try await RunningCoordinator.run(.memory, in: scratch, made: made, clock: clock) {
            coordinator in
            func shown() throws -> PeerIdentity {
                try CertificateRequest.describe(
                    certificate: String(
                        contentsOfFile: scratch.path + "/coordinator.pem", encoding: .utf8))
            }
            let old = try shown()
            let token = try await coordinator.api.token(lifetime: .seconds(86_400))
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (before, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            #expect(before.connection.peer?.fingerprint == old.fingerprint)
            late.withLock { $0 = 0 }
            try await eventually("it is renewed") { try shown() != old }
            try await eventually("new connections see it") {
                let (after, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
                defer { after.connection.close() }
                return after.connection.peer?.fingerprint == (try shown()).fingerprint
            }
            let metrics = try await coordinator.api.get("/metrics").text
            #expect(metrics.contains("coordinator\"} \(try shown().notAfter.milliseconds / 1000)"))
            before.connection.close()
        }
    }
}
