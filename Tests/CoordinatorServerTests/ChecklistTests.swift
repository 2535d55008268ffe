import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutChecklist
import RolloutCore
import RolloutPlan
import Testing

@Suite("A checklist through the coordinator", .serialized)
struct ChecklistTests {
    private static var plan: Plan {
        var plan = RolloutTests.plan()
        plan.checklist = [
            ChecklistItem(
                id: "backup", category: "backup", description: "take one", isCritical: true,
                isRequired: true),
            ChecklistItem(
                id: "announce", category: "people", description: "tell them",
                dependsOn: ["backup"], isCritical: true),
        ]
        return plan
    }

    private static func apply(_ api: APIClient) async throws -> RolloutID {
        let answer = try await api.send(
            .POST, "/v1/rollouts",
            json: ApplyRequest(plan: plan, digest: nil, overrideQuarantine: false, reason: nil))
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.body(RolloutView.self).id
    }

    private static func change(
        _ action: ChecklistChange.Action, _ item: String, revision: Int, reason: String? = nil,
        in id: RolloutID, _ api: APIClient
    ) async throws -> APIClient.Answer {
        try await api.send(
            .POST, "/v1/rollouts/\(id)/commands",
            json: CommandRequest(
                command: .checklist(
                    ChecklistChange(item: item, action: action, revision: revision)),
                reason: reason))
    }

    private static func view(_ id: RolloutID, _ api: APIClient) async throws -> RolloutView {
        try await api.get("/v1/rollouts/\(id)").body(RolloutView.self)
    }

    private static func waitForGate(_ id: RolloutID, _ api: APIClient) async throws {
        try await eventually("the checklist is waited for") {
            try await view(id, api).why.waitsFor.contains("the checklist holds")
        }
    }

    @Test("no host is changed before its critical items are done; refusals say which and why")
    func gate() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let api = coordinator.api
            try await RolloutTests.with(try await RolloutTests.fleet(coordinator), of: coordinator)
            {
                let id = try await Self.apply(api)
                try await Self.waitForGate(id, api)
                for (action, item, reason, status, code) in [
                    (ChecklistChange.Action.start, "bakcup", nil as String?, 404, "not_found"),
                    (.start, "announce", nil, 422, "invalid"),
                    (.done, "backup", nil, 422, "invalid"),
                    (.skip, "backup", "no time", 422, "invalid"),
                ] {
                    let answer = try await Self.change(
                        action, item, revision: 0, reason: reason, in: id, api)
                    #expect(answer.code == code, "\(action) \(item): \(answer.text)")
                    #expect(answer.status == status || answer.status == 400, "\(answer.status)")
                }
                _ = try await Self.change(.start, "backup", revision: 0, in: id, api)
                let failed = try await Self.change(
                    .fail, "backup", revision: 1, reason: "disk full", in: id, api)
                let list = try #require(try failed.body(RolloutView.self).checklist)
                #expect(list.items.map(\.state) == [.failed, .blocked])
                #expect(list.items[1].waitsFor == "blocked by backup (failed: disk full)")
                let held = try await Self.view(id, api)
                #expect(held.hosts.allSatisfy { !$0.changed && $0.state == .ready })
                #expect(held.why.waitsFor.contains("backup failed: disk full"))
                _ = try await Self.change(.start, "backup", revision: 2, in: id, api)
                _ = try await Self.change(.done, "backup", revision: 3, in: id, api)
                let skipped = try await Self.change(
                    .skip, "announce", revision: 0, reason: "nobody uses it", in: id, api)
                #expect(skipped.status == 200, "\(skipped.text)")
                try await RolloutTests.watch(id, until: .succeeded, api)
                let late = try await Self.change(.start, "announce", revision: 1, in: id, api)
                #expect(late.code == "conflict", "\(late.text)")
            }
        }
    }

    @Test("of many who begin the same item at once, one does and the others are told of that one")
    func atOnce() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            _ = try await RolloutTests.fleet(coordinator)
            let id = try await Self.apply(api)
            let answers = try await withThrowingTaskGroup(of: APIClient.Answer.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await Self.change(.start, "backup", revision: 0, in: id, api)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 } == 1)
            #expect(answers.count { $0.status == 409 && $0.code == "conflict" } == 7)
            #expect(try await Self.view(id, api).checklist?.items[0].attempt == 1)
            let events = try await api.get("/v1/events?stream=\(id)&limit=1000")
                .body([EventLine].self)
            #expect(events.count { $0.kind == "command_checklist" } == 1)
        }
    }

    @Test("is as it was after the coordinator went away, and lets the rollout go on")
    func recovery() async throws {
        let scratch = try Scratch()
        var kept: ([String: TLSContext.Credentials], RolloutID)?
        var before: ChecklistView?
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let fleet = try await RolloutTests.fleet(coordinator)
            try await RolloutTests.with(fleet, of: coordinator) {
                let id = try await Self.apply(coordinator.api)
                try await Self.waitForGate(id, coordinator.api)
                let api = coordinator.api
                _ = try await Self.change(.start, "backup", revision: 0, in: id, api)
                before = try await Self.view(id, api).checklist
                kept = (fleet, id)
            }
        }
        let (fleet, id) = try #require(kept)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let api = coordinator.api
            try await RolloutTests.with(fleet, of: coordinator) {
                let after = try await Self.view(id, api).checklist
                #expect(after?.items == before?.items)
                #expect(after?.items[0].state == .inProgress && after?.items[0].revision == 1)
                _ = try await Self.change(.done, "backup", revision: 1, in: id, api)
                _ = try await Self.change(.start, "announce", revision: 0, in: id, api)
                _ = try await Self.change(.done, "announce", revision: 1, in: id, api)
                try await RolloutTests.watch(id, until: .succeeded, api)
            }
        }
    }
}
