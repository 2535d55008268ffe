@testable import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Synchronization
import Testing

@Suite("Restores over the fleet", .serialized)
struct PointRestoreTests {
    private static let names = ["h1", "h2", "h3", "h4"]

    private func restore(_ point: String = "before-upgrade") -> FleetPointRequest {
        FleetPointRequest(
            selection: HostSelection(selector: nil),
            request: PointRequest(action: .restore, point: point))
    }

    private func with(
        _ names: [String] = PointRestoreTests.names, away: Set<String> = [],
        answer: @escaping PointAgents.Answer,
        _ body: (RunningCoordinator, PointAgents) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let agents = PointAgents(answer: answer)
            try await agents.run(names, away: away, at: coordinator) {
                try await body(coordinator, agents)
            }
        }
    }

    @Test("a host at a time, by the id that was looked at before the first was touched")
    func order() async throws {
        let crowd = Crowd()
        let expected = Mutex(0)
        let points = Mutex<[String]>([])
        try await with { host, request, _ in
            if request.action == .restore {
                points.withLock { $0.append(request.point ?? "") }
                await crowd.pass(awaiting: expected.withLock { $0 })
            }
            return PointAgents.healthy(host, request)
        } _: { coordinator, agents in
            let lines = try await coordinator.ask(restore()).lines()
            #expect(lines.map(\.host.rawValue) == Self.names)
            #expect(lines.allSatisfy { $0.reply?.restore?.changed == 1 })
            #expect(await crowd.most == 1)
            #expect(agents.asked.hosts(.verify).sorted() == Self.names)
            #expect(points.withLock { $0 } == Self.names.map { "20261124T230501Z-\($0)" })
            var two = restore()
            two.maxUnavailable = .percent(50)
            expected.withLock { $0 = 2 }
            #expect(try await coordinator.ask(two).lines().count == 4)
            #expect(await crowd.most == 2)
        }
    }

    @Test("nothing is changed anywhere while one host is away or lacks the point")
    func unfit() async throws {
        try await with(away: ["h4"]) { host, request, _ in
            var reply = PointAgents.healthy(host, request)
            if host.rawValue == "h2" { throw Refusal(code: "not_found", reason: "no such point") }
            if host.rawValue == "h3", request.action == .verify { reply.damaged = ["/etc/c"] }
            return reply
        } _: { coordinator, agents in
            let lines = try await coordinator.ask(restore()).lines().sorted { $0.host < $1.host }
            #expect(
                lines.map { $0.failure?.code } == [
                    "not_started", "not_found", "damaged", "unreachable",
                ])
            #expect(agents.asked.hosts(.restore).isEmpty)
            var further = restore()
            further.keepGoing = true
            let second = try await coordinator.ask(further).lines().sorted { $0.host < $1.host }
            #expect(
                second.map { $0.failure?.code } == [nil, "not_found", "damaged", "unreachable"])
            #expect(agents.asked.hosts(.restore) == ["h1"])
        }
    }

    @Test("the first that fails stops it, unless it is to go on")
    func failing() async throws {
        try await with { host, request, _ in
            if host.rawValue == "h2", request.action == .restore {
                throw Refusal(code: "failed", reason: "no space")
            }
            return PointAgents.healthy(host, request)
        } _: { coordinator, agents in
            let lines = try await coordinator.ask(restore()).lines()
            #expect(
                lines.map { $0.failure?.code } == [nil, "failed", "not_started", "not_started"])
            #expect(lines[2].failure?.message.contains("h2 failed") == true)
            #expect(agents.asked.hosts(.restore) == ["h1", "h2"])
            try await eventually("it has ended") {
                try await coordinator.pointEvents().last?.event.contains("h2 failed") == true
            }
            var further = restore()
            further.keepGoing = true
            let second = try await coordinator.ask(further).lines()
            #expect(second.count { $0.failure == nil } == 3)
        }
    }

    @Test("a host that a rollout holds is not restored, and one that is restored not rolled out to")
    func held() async throws {
        let begun = Mutex<CheckedContinuation<Void, Never>?>(nil)
        let isIn = Mutex(false)
        try await with(["h1", "h2"]) { host, request, _ in
            if request.action == .restore, host.rawValue == "h1" {
                await withCheckedContinuation { continuation in
                    begun.withLock { $0 = continuation }
                    isIn.withLock { $0 = true }
                }
            }
            return PointAgents.healthy(host, request)
        } _: { coordinator, agents in
            let apply = ApplyRequest(
                plan: RolloutTests.plan(approval: true), digest: nil, overrideQuarantine: false,
                reason: nil)
            async let restoring = coordinator.ask(restore())
            try await eventually("a restore is under way") { isIn.withLock { $0 } }
            let refused = try await coordinator.api.send(.POST, "/v1/rollouts", json: apply)
            #expect(refused.status == 409 && refused.text.contains("h1 is being restored"))
            #expect(try await coordinator.ask(restore()).code == "conflict")
            begun.withLock { $0 }?.resume()
            #expect(try await restoring.lines().count == 2)
            try await eventually("it may go out now") {
                try await coordinator.api.send(.POST, "/v1/rollouts", json: apply).status == 201
            }
            let before = agents.asked.hosts(.restore)
            let conflict = try await coordinator.ask(restore())
            #expect(conflict.status == 409 && conflict.code == "conflict")
            #expect(conflict.text.contains("holds"))
            #expect(agents.asked.hosts(.restore) == before)
        }
    }

    @Test("a connection that ends amid a restore leaves its outcome unknown")
    func lost() async throws {
        try await with(["h1", "h2"]) { host, request, _ in
            if request.action == .restore { throw TLSError.closed }
            return PointAgents.healthy(host, request)
        } _: { coordinator, _ in
            let lines = try await coordinator.ask(restore()).lines()
            #expect(lines.map { $0.failure?.code } == ["outcome_unknown", "not_started"])
            #expect(lines[0].failure?.remedy?.contains("point diff") == true)
        }
    }

    @Test("once its caller is gone no further host is begun, and the journal says so")
    func deserted() async throws {
        let isIn = Mutex(false)
        let hold = Mutex<CheckedContinuation<Void, Never>?>(nil)
        try await with { host, request, _ in
            if request.action == .restore {
                await withCheckedContinuation { continuation in
                    hold.withLock { $0 = continuation }
                    isIn.withLock { $0 = true }
                }
            }
            return PointAgents.healthy(host, request)
        } _: { coordinator, agents in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await coordinator.ask(self.restore()) }
                try await eventually("a restore is under way") { isIn.withLock { $0 } }
                group.cancelAll()
            }
            try await eventually("it is noticed") {
                try await coordinator.api.get("/metrics").text.contains(
                    "belay_point_orders{action=\"restore\",state=\"stopping\"} 1")
            }
            hold.withLock { $0 }?.resume()
            try await eventually("it has ended") {
                try await coordinator.pointEvents().last?.event.contains("went away") == true
            }
            #expect(agents.asked.hosts(.restore) == ["h1"])
            let answered = try await coordinator.pointEvents().filter {
                $0.kind == "points_answered"
            }
            #expect(answered.count == 4)
            #expect(answered.first?.actor == "host:h1")
        }
    }

    @Test("a restart ends what was under way and lets its hosts go")
    func restart() async throws {
        let scratch = try Scratch()
        let isIn = Mutex(false)
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            let agents = PointAgents { host, request, _ in
                if request.action == .restore {
                    isIn.withLock { $0 = true }
                    try await Task.sleep(for: .seconds(600))
                }
                return PointAgents.healthy(host, request)
            }
            try await agents.run(["h1"], at: coordinator) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try? await coordinator.ask(self.restore()) }
                    try await eventually("a restore is under way") { isIn.withLock { $0 } }
                    group.cancelAll()
                }
            }
        }
        try await RunningCoordinator.run(.sqlite, in: scratch) { coordinator in
            try await eventually("it has ended") {
                try await coordinator.pointEvents().last?.kind == "points_ended"
            }
            #expect(try await coordinator.ask(restore()).status == 200)
        }
    }
}
