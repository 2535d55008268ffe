import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Testing

@Suite("A coordinator whose state is an older copy", .serialized)
struct GenerationTests {
    @Test("says so, refuses new rollouts on its hosts, and goes on once an operator raised it")
    func restored() async throws {
        let scratch = try Scratch()
        var kept: TLSContext.Credentials?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            let credentials = try await TestAgent.enrol(
                "h1", token: try await api.token(), at: coordinator)
            kept = credentials
            _ = try await TestAgent.enrol("h2", token: try await api.token(), at: coordinator)
            let (first, _) = try await TestAgent.connect("h1", credentials, to: coordinator)
            try await first.send(.report, first.report(1))
            #expect(try await first.next().body(Acknowledgement.self).upTo == 1)
            let open = try await RolloutTests.apply(coordinator, approval: true)
            let id = try open.body(RolloutView.self).id
            let abort = CommandRequest(command: .abort, reason: "test")
            let (agent, _) = try await TestAgent.connect(
                "h1", credentials, to: coordinator, generation: 7)
            let status = try await api.get("/v1/status").body(StatusView.self)
            #expect(status.problems.count == 1)
            #expect(status.problems.first?.contains("--raise-generation-to 8") == true)
            for path in ["/v1/rollouts/\(id)/why", "/v1/rollouts/\(id)/why?host=h1"] {
                let why = try await api.get(path).body(WhyView.self)
                #expect(why.waitsFor.contains("generation 7") && why.hosts == [HostID("h1")])
            }
            let other = try await api.get("/v1/rollouts/\(id)/why?host=h2").body(WhyView.self)
            #expect(!other.waitsFor.contains("generation"))
            #expect(
                try await api.send(.POST, "/v1/rollouts/\(id)/commands", json: abort).status == 200)
            let refused = try await RolloutTests.apply(coordinator)
            #expect(refused.status == 409 && refused.text.contains("--raise-generation-to 8"))
            agent.connection.close()
        }
        let credentials = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch, generation: 8) { coordinator in
            let (agent, _) = try await TestAgent.connect(
                "h1", credentials, to: coordinator, generation: 7)
            let status = try await coordinator.api.get("/v1/status").body(StatusView.self)
            #expect(status.problems.isEmpty && status.generation.rawValue == 8)
            // Reports 2 to 40 were acknowledged in a term that is lost.
            try await agent.send(.report, agent.report(41))
            #expect(try await agent.next().body(Acknowledgement.self).upTo == 41)
            try await agent.send(.report, agent.report(43))
            #expect(try await agent.next().header.type == .bye)
            #expect(try await RolloutTests.apply(coordinator).status == 201)
        }
        try await RunningCoordinator.run(.sqlite, in: scratch, generation: 3) { coordinator in
            let (agent, welcome) = try await TestAgent.connect("h1", credentials, to: coordinator)
            #expect(welcome.acknowledged == 41)
            let status = try await coordinator.api.get("/v1/status").body(StatusView.self)
            #expect(status.generation.rawValue == 9, "it is never lowered")
            agent.connection.close()
        }
    }
}
