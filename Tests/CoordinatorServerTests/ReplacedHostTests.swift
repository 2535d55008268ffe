import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import Testing

@Suite("Hosts that are enrolled anew", .serialized)
struct ReplacedHostTests {
    @Test("tell their open rollout in the same commit, and only if they are another host")
    func replaced() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            let token = try await api.token(host: HostID("h1"))
            let key = try await TestAgent.enrol("h1", token: token, at: coordinator).key
            _ = try await TestAgent.enrol(
                "h2", token: try await api.token(), at: coordinator)
            let answer = try await RolloutTests.apply(coordinator, approval: true)
            let id = try answer.body(RolloutView.self).id
            func events() async throws -> [EventLine] {
                try await api.get("/v1/events?limit=1000").body([EventLine].self)
            }
            // The same token and key: the answer was lost, the host is the same.
            _ = try await TestAgent.enrol("h1", token: token, key: key, at: coordinator)
            let before = try await events()
            #expect(!before.contains { $0.kind == "host_replaced" })
            let other = try await api.token(host: HostID("h1"))
            _ = try await TestAgent.enrol("h1", token: other, at: coordinator)
            let all = try await events()
            let enrolled = try #require(all.last { $0.kind == "host_enrolled" })
            let replaced = all.filter { $0.kind == "host_replaced" }
            #expect(replaced.map(\.sequence) == [enrolled.sequence + 1])
            #expect(replaced.map(\.stream) == [id.rawValue])
            let history = try await api.get("/v1/rollouts/\(id)/history").text
            #expect(history.contains("was enrolled anew"), "\(history)")
        }
    }
}
