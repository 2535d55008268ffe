import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Testing

@Suite("A host that is late in an older rollout", .serialized)
struct ConvergeTests {
    private func apply(
        _ coordinator: RunningCoordinator, hosts: [String], queue: Bool = false,
        approval: Bool = false
    ) async throws -> RolloutID {
        var plan = RolloutTests.plan(approval: approval)
        plan.targets.hosts = hosts.map { HostID(unchecked: $0) }
        // A wave of nobody but late hosts would wait for a person.
        plan.strategy.waves[0].size = .number(hosts.count)
        plan.strategy.absence.late = .skip
        plan.strategy.absence.converges = true
        var request = ApplyRequest(
            plan: plan, digest: nil, overrideQuarantine: false, reason: nil)
        request.queue = queue
        let answer = try await coordinator.api.send(.POST, "/v1/rollouts", json: request)
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.body(RolloutView.self).id
    }

    private func state(of host: String, in id: RolloutID, _ api: APIClient) async throws
        -> HostState?
    {
        try await api.get("/v1/rollouts/\(id)").body(RolloutView.self).hosts
            .first { $0.id.rawValue == host }?.state
    }

    @Test("is left out there by the newer rollout that takes it, in the same commit")
    func taken() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            let fleet = try await RolloutTests.fleet(coordinator)
            let first = try #require(fleet["h1"])
            var older: RolloutID?
            try await RolloutTests.with(["h1": first], of: coordinator) {
                let id = try await apply(coordinator, hosts: ["h1", "h2"])
                try await RolloutTests.watch(id, until: .succeeded, api)
                older = id
            }
            let old = try #require(older)
            #expect(try await state(of: "h2", in: old, api) == .late)
            let newer = try await apply(coordinator, hosts: ["h2"], approval: true)
            #expect(try await state(of: "h2", in: old, api) == .skipped)
            let why = try await api.get("/v1/rollouts/\(old)/why").body(WhyView.self)
            #expect(!why.waitsFor.contains("still to follow"), "\(why.waitsFor)")
            let history = try await api.get("/v1/rollouts/\(old)/history").text
            #expect(history.contains("the newer rollout \(newer) takes it"), "\(history)")
            let events = try await api.get("/v1/events?limit=1000").body([EventLine].self)
            let made = try #require(
                events.first { $0.stream == newer.rawValue && $0.kind == "rollout_created" })
            let left = try #require(
                events.first { $0.stream == old.rawValue && $0.kind == "command_skip" })
            #expect(left.sequence == made.sequence + 1)
            // It comes, and goes with the newer one only.
            try await RolloutTests.with(fleet, of: coordinator) {
                let answer = try await api.send(
                    .POST, "/v1/rollouts/\(newer)/commands",
                    json: CommandRequest(command: .approve, reason: nil))
                #expect(answer.status == 200, "\(answer.text)")
                try await eventually("the newer rollout took it") {
                    try await state(of: "h2", in: newer, api) == .committed
                }
            }
            #expect(try await state(of: "h2", in: old, api) == .skipped)
        }
    }

    @Test("stays there while the newer one only waits in the queue")
    func queued() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let api = coordinator.api
            let fleet = try await RolloutTests.fleet(coordinator)
            let first = try #require(fleet["h1"])
            try await RolloutTests.with(["h1": first], of: coordinator) {
                let old = try await apply(coordinator, hosts: ["h1", "h2"])
                try await RolloutTests.watch(old, until: .succeeded, api)
                let holder = try await apply(coordinator, hosts: ["h1"], approval: true)
                let newer = try await apply(coordinator, hosts: ["h1", "h2"], queue: true)
                #expect(try await state(of: "h2", in: old, api) == .late)
                _ = try await api.send(
                    .POST, "/v1/rollouts/\(holder)/commands",
                    json: CommandRequest(command: .abort, reason: "test"))
                try await eventually("the newer rollout begins and takes it") {
                    try await state(of: "h2", in: old, api) == .skipped
                }
                #expect(try await state(of: "h2", in: newer, api) != .skipped)
            }
        }
    }
}
