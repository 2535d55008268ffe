@testable import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import Testing

@Suite("Troubles of hosts", .serialized)
struct TroubleTests {
    private static func damaged(_ point: String) -> HostTrouble {
        HostTrouble(
            kind: "point_damaged", subject: point, text: "1 object is damaged", since: wallClock())
    }

    private func beat(_ agent: TestAgent, _ troubles: [HostTrouble]?) async throws {
        try await agent.send(
            .heartbeat, Heartbeat(now: wallClock(), metrics: [:], troubles: troubles))
        #expect(try await agent.next().header.type == .heartbeat)
    }

    private func events(_ coordinator: RunningCoordinator) async throws -> [EventLine] {
        try await coordinator.api.get("/v1/events?stream=fleet&limit=1000").body([EventLine].self)
            .filter { $0.kind.hasPrefix("host_trouble") }
    }

    @Test("stand in the journal once, in the host's view and in metrics, over a restart")
    func found() async throws {
        let scratch = try Scratch()
        var kept: TLSContext.Credentials?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            kept = credentials
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            for _ in 0..<3 { try await beat(agent, [Self.damaged("p-1"), Self.damaged("p-2")]) }
            try await eventually("both are there") {
                try await coordinator.api.get("/v1/hosts/h1").body(HostView.self).troubles.count
                    == 2
            }
            #expect(
                try await events(coordinator).map(\.kind) == [
                    "host_trouble_found", "host_trouble_found",
                ])
            #expect(try await events(coordinator).allSatisfy { $0.actor == "host:h1" })
            let metrics = try await coordinator.api.get("/metrics").text
            #expect(metrics.contains("belay_points_damaged{host=\"h1\"} 2\n"))
            #expect(
                metrics.contains("belay_host_troubles{host=\"h1\",kind=\"point_damaged\"} 2\n"))
            agent.connection.close()
        }
        let credentials = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            try await beat(agent, [Self.damaged("p-2")])
            try await eventually("one is over") {
                try await events(coordinator).last?.kind == "host_trouble_ended"
            }
            #expect(try await events(coordinator).count == 3)
            try await beat(agent, nil)
            try await eventually("both are over") {
                try await coordinator.api.get("/v1/hosts/h1").body(HostView.self).troubles.isEmpty
            }
            #expect(
                try await coordinator.api.get("/metrics").text.contains(
                    "belay_points_damaged{host=\"h1\"} 0\n"))
            try await beat(agent, [Self.damaged("p-2")])
            try await eventually("it came back") { try await events(coordinator).count == 5 }
            agent.connection.close()
        }
    }

    @Test("of a host that makes them up are bounded")
    func evil() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let (agent, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            for round in 0..<20 {
                let troubles = (0..<500).map { number in
                    HostTrouble(
                        kind: "a\"b\n", subject: "\(round)-\(number)",
                        text: String(repeating: "x", count: 1000), since: wallClock())
                }
                try await beat(agent, troubles)
            }
            // The journal is in order, so a change that follows is behind all that was taken.
            _ = try await coordinator.api.send(
                .PATCH, "/v1/hosts/h1/labels", json: LabelChange(set: ["x": "y"], remove: []))
            let all = try await events(coordinator)
            #expect((1...66).contains(all.count), "\(all.count)")
            let view = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
            #expect(view.troubles.count <= 32)
            #expect(view.troubles.allSatisfy { $0.kind == "other" })
            agent.connection.close()
        }
    }

    @Test("an allowance lets a burst pass, then one at a time, whatever the clock does")
    func allowance() {
        let rate = Allowance.Rate(burst: 3, perSecond: 0.1)
        var allowance = Allowance()
        var now = Timestamp(milliseconds: 1_000_000)
        func taken(of tries: Int, at moment: Timestamp) -> Int {
            (0..<tries).count { _ in allowance.take(rate, 1, now: moment) }
        }
        #expect(taken(of: 5, at: now) == 3)
        now = now + .seconds(9)
        #expect(taken(of: 1, at: now) == 0)
        now = now + .seconds(1)
        #expect(taken(of: 2, at: now) == 1)
        #expect(taken(of: 1, at: now + .seconds(-500)) == 0)
        now = now + .seconds(1_000_000)
        #expect(taken(of: 5, at: now) == 3)
    }
}
