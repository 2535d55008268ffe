import FleetWire
import Foundation
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Synchronization
import Testing

@testable import CoordinatorServer

@Suite("What a rollout asks its coordinator for", .serialized)
struct ErrandTests {
    private func apply(_ plan: Plan, _ coordinator: RunningCoordinator) async throws -> RolloutID {
        let answer = try await coordinator.api.send(
            .POST, "/v1/rollouts",
            json: ApplyRequest(plan: plan, digest: nil, overrideQuarantine: false, reason: nil))
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.body(RolloutView.self).id
    }

    private func events(
        _ id: RolloutID, _ kind: String, _ coordinator: RunningCoordinator
    ) async throws -> [EventLine] {
        try await coordinator.api.get("/v1/events?limit=1000&stream=\(id)")
            .body([EventLine].self).filter { $0.kind == kind }
    }

    @Test("a window that opens within seconds lets hosts go, and not before")
    func calendar() async throws {
        let scratch = try Scratch()
        // Four seconds before the last nine o'clock in UTC.
        let day: Int64 = 86_400_000
        let nine = (wallClock().milliseconds - 9 * 3_600_000) / day * day + 9 * 3_600_000
        let shift = Milliseconds(nine - 4000 - wallClock().milliseconds)
        let clock: @Sendable () -> Timestamp = { wallClock() + shift }
        try await RunningCoordinator.run(.memory, in: scratch, made: clock(), clock: clock) {
            coordinator in
            let fleet = try await RolloutTests.fleet(coordinator)
            try await RolloutTests.with(fleet, of: coordinator) {
                var plan = RolloutTests.plan()
                plan.strategy.pace.calendar = WorkCalendar(
                    zone: "UTC", windows: [.init(days: Array(1...7), from: 540, to: 541)],
                    freezes: [])
                let id = try await apply(plan, coordinator)
                try await eventually("it says that it waits for the window") {
                    let why = try await coordinator.api.get("/v1/rollouts/\(id)/why")
                        .body(WhyView.self)
                    return why.nextAt == Timestamp(milliseconds: nine)
                }
                try await RolloutTests.watch(id, until: .succeeded, coordinator.api)
                let captured = try await events(id, "host_captured", coordinator)
                #expect(captured.count == 2)
                #expect(captured.allSatisfy { $0.at.milliseconds >= nine })
                let readings = try await events(id, "calendar_read", coordinator)
                #expect(readings.count >= 2)
            }
        }
    }

    @Test("gates that ask servers and metrics go on only once all of them pass")
    func gates() async throws {
        let scratch = try Scratch()
        let count = Mutex(0)
        let hook: @Sendable (String) -> FakeServer.Answer = { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return .status(200, [:], number < 3 ? "not yet" : #"{"verdict": "pass"}"#)
        }
        let answer = #"{"status": "success", "data": {"resultType": "scalar", "result": [1, "0"]}}"#
        try await FakeServer.run(hook) { webhook in
            try await FakeServer.run({ _ in .status(200, [:], answer) }) { prometheus in
                try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
                    let fleet = try await RolloutTests.fleet(coordinator)
                    try await RolloutTests.with(fleet, of: coordinator, beats: true) {
                        let probes: [GateProbe] = [
                            .webhook(WebhookRule(url: webhook.url, timeout: .seconds(5))),
                            .prometheus(GateSamples.query("up", url: prometheus.url)),
                            .metric(GateSamples.rule()),
                        ]
                        var plan = RolloutTests.plan()
                        plan.strategy.waves[0].gates = probes.enumerated().map { number, probe in
                            var gate = GateSamples.gate(probe)
                            gate.name = "g\(number)"
                            return gate
                        }
                        let id = try await apply(plan, coordinator)
                        try await RolloutTests.watch(id, until: .succeeded, coordinator.api)
                        let probed = try await events(id, "gate_probed", coordinator)
                        #expect(probed.count >= 5)
                        #expect(probed.prefix(2).allSatisfy { $0.event.contains("no data") })
                        #expect(probed.last?.event.contains("mean of load") == true)
                        let view = try await coordinator.api.get("/v1/rollouts/\(id)")
                            .body(RolloutView.self)
                        #expect(view.waves[0].gates.map(\.verdict) == [.pass, .pass, .pass])
                    }
                }
            }
        }
    }

    @Test("a rehearsal compares the host with its point, through the journal")
    func rehearsal() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let fleet = try await RolloutTests.fleet(coordinator)
            try await RolloutTests.with(fleet, of: coordinator) {
                var plan = RolloutTests.plan()
                plan.strategy.pace.rehearses = true
                let id = try await apply(plan, coordinator)
                try await RolloutTests.watch(id, until: .succeeded, coordinator.api)
                let compared = try await events(id, "host_compared", coordinator)
                #expect(compared.count == 1)
                #expect(compared.first?.event.contains("nothing differs from p-h1") == true)
            }
        }
    }

    @Test("a comparison counts what differs on all pages, and never takes silence for equality")
    func comparisons() {
        let point = PointID(unchecked: "p-1")
        var reply = PointReply(points: [])
        let mute = Coordinator.comparison(point, reply, nil)
        #expect(mute.differences == nil && mute.detail.contains("could not be compared"))
        let away = Coordinator.comparison(point, nil, "its agent is not connected")
        #expect(away.differences == nil && away.detail.contains("is not connected"))
        reply.changes = (1...4).map {
            HostChange(
                component: ComponentName(unchecked: "c"), path: "/etc/c/\($0)", change: .content,
                detail: "")
        }
        reply.more = 2
        let six = Coordinator.comparison(point, reply, nil)
        #expect(six.differences == 6)
        #expect(six.detail.contains("c:/etc/c/3 (content), …"), "\(six.detail)")
        reply.changes = []
        reply.more = nil
        #expect(Coordinator.comparison(point, reply, nil).differences == 0)
    }
}
