import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Testing

@Suite("Rollouts on shared and on other hosts", .serialized)
struct QueueTests {
    private func apply(
        _ coordinator: RunningCoordinator, hosts: [String] = ["h1", "h2"], queue: Bool,
        approval: Bool = false
    ) async throws -> APIClient.Answer {
        var plan = RolloutTests.plan(approval: approval)
        plan.targets.hosts = hosts.map { HostID(unchecked: $0) }
        var request = ApplyRequest(
            plan: plan, digest: nil, overrideQuarantine: false, reason: nil)
        request.queue = queue
        return try await coordinator.api.send(.POST, "/v1/rollouts", json: request)
    }

    private func tell(
        _ id: RolloutID, _ command: OperatorCommand, _ api: APIClient
    ) async throws -> Int {
        try await api.send(
            .POST, "/v1/rollouts/\(id)/commands",
            json: CommandRequest(command: command, reason: "test")
        ).status
    }

    private func places(_ api: APIClient) async throws -> [QueueView?] {
        try await api.get("/v1/rollouts").body([RolloutSummary].self).map(\.queue)
    }

    @Test(
        "wait in the order in which they were made, over a restart, and begin one after the other")
    func queue() async throws {
        let scratch = try Scratch()
        var kept: ([String: TLSContext.Credentials], [RolloutID])?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let fleet = try await RolloutTests.fleet(coordinator)
            let first = try await apply(coordinator, queue: true, approval: true)
                .body(RolloutView.self)
            #expect(first.state == .awaitingApproval, "nobody holds its hosts, so it begins")
            let refused = try await apply(coordinator, queue: false)
            #expect(refused.status == 409 && refused.text.contains("--queue"), "\(refused.text)")
            var ids = [first.id]
            for hosts in [["h1", "h2"], ["h2"], ["h1", "h2"]] {
                let view = try await apply(coordinator, hosts: hosts, queue: true)
                    .body(RolloutView.self)
                #expect(view.state == .planned)
                #expect(view.why.waitsFor.contains(first.id.rawValue), "\(view.why.waitsFor)")
                ids.append(view.id)
            }
            kept = (fleet, ids)
        }
        let (fleet, ids) = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            let stand = try await places(api)
            #expect(
                stand == [
                    nil, QueueView(position: 1, waitsFor: [ids[0]]),
                    QueueView(position: 2, waitsFor: Array(ids[0...1])),
                    QueueView(position: 3, waitsFor: Array(ids[0...2])),
                ])
            // Who does not want to wait is not let in before those who do.
            #expect(try await apply(coordinator, hosts: ["h1"], queue: false).status == 409)
            #expect(try await tell(ids[3], .abort, api) == 200)
            try await RolloutTests.watch(ids[3], until: .aborted, api)
            #expect(try await tell(ids[0], .approve, api) == 200)
            try await RolloutTests.with(fleet, of: coordinator) {
                for id in ids[0...2] {
                    try await RolloutTests.watch(id, until: .succeeded, api)
                }
            }
            let after = try await places(api)
            #expect(after.allSatisfy { $0 == nil })
            // The next one was admitted only after the one before had committed its last host.
            let events = try await api.get("/v1/events?limit=1000").body([EventLine].self)
            for (before, after) in zip(ids, ids[1...2]) {
                let done = events.last {
                    $0.stream == before.rawValue && $0.kind == "host_committed"
                }
                let admitted = events.filter {
                    $0.stream == after.rawValue && $0.kind == "rollout_admitted"
                }
                #expect(admitted.count == 1)
                let (last, next) = (try #require(done), try #require(admitted.first))
                #expect(last.sequence < next.sequence)
            }
        }
    }

    @Test("run side by side where they share no host")
    func sideBySide() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let api = coordinator.api
            let fleet = try await RolloutTests.fleet(coordinator)
            try await RolloutTests.with(fleet, of: coordinator) {
                var ids: [RolloutID] = []
                for host in ["h1", "h2"] {
                    let answer = try await apply(
                        coordinator, hosts: [host], queue: false, approval: true)
                    #expect(answer.status == 201, "\(answer.text)")
                    ids.append(try answer.body(RolloutView.self).id)
                }
                let open = try await api.get("/v1/status").body(StatusView.self).openRollouts
                #expect(open == ids)
                for id in ids.reversed() { #expect(try await tell(id, .approve, api) == 200) }
                for id in ids { try await RolloutTests.watch(id, until: .succeeded, api) }
            }
        }
    }
}
