import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import Synchronization
import Testing

/// Agents that answer questions about points as a test says, over real TLS.
struct PointAgents: Sendable {
    typealias Answer = @Sendable (HostID, PointRequest, Generation?) async throws -> PointReply

    /// What agents were asked, in the order in which it arrived.
    let asked = Asked()
    let answer: Answer

    final class Asked: Sendable {
        private let all = Mutex<[(HostID, PointRequest.Action)]>([])
        func add(_ host: HostID, _ action: PointRequest.Action) {
            all.withLock { $0.append((host, action)) }
        }
        /// Which hosts got this, in order.
        func hosts(_ action: PointRequest.Action) -> [String] {
            all.withLock { all in all.filter { $0.1 == action }.map(\.0.rawValue) }
        }
    }

    /// Enrols `names`, connects those that are not `away`, and runs `body` while they answer.
    func run(
        _ names: [String], away: Set<String> = [], at coordinator: RunningCoordinator,
        _ body: () async throws -> Void
    ) async throws {
        let token = try await coordinator.api.token(uses: names.count)
        var all: [String: TLSContext.Credentials] = [:]
        for name in names {
            all[name] = try await TestAgent.enrol(name, token: token, at: coordinator)
        }
        let present = all.filter { !away.contains($0.key) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (name, credentials) in present {
                group.addTask { try? await serve(name, credentials, coordinator) }
            }
            try await eventually("all are connected") {
                let status = try await coordinator.api.get("/v1/status").body(StatusView.self)
                return status.connected == present.count
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func serve(
        _ name: String, _ credentials: TLSContext.Credentials, _ coordinator: RunningCoordinator
    ) async throws {
        let (agent, _) = try await TestAgent.connect(name, credentials, to: coordinator)
        let connection = agent.connection
        try await withTaskCancellationHandler {
            defer { connection.close() }
            while true {
                let message = try await agent.next()
                guard message.header.type == .point else { continue }
                let request = try message.body(PointRequest.self)
                asked.add(agent.host, request.action)
                do {
                    let reply = try await answer(agent.host, request, message.header.gen)
                    try await agent.send(.points, reply, re: message.header.id)
                } catch let refusal as Refusal {
                    try await agent.send(.refused, refusal, re: message.header.id)
                }
            }
        } onCancel: {
            connection.close()
        }
    }

    // MARK: - Replies

    static func summary(_ host: HostID, name: String? = nil) -> PointSummary {
        PointSummary(
            id: PointID(unchecked: "20261124T230501Z-\(host)"), at: wallClock(),
            reason: "by hand", rollout: nil,
            components: [
                PointComponent(
                    name: ComponentName(unchecked: "c"), driver: "config", entries: 2,
                    bytes: ByteCount(10))
            ], digest: Tokens.hash("p"), name: name)
    }

    /// What a healthy agent says.
    static func healthy(_ host: HostID, _ request: PointRequest) -> PointReply {
        var reply = PointReply(points: [summary(host, name: "before-upgrade")])
        switch request.action {
        case .verify: reply.damaged = []
        case .restore:
            reply.restore = RestoreReply(
                point: reply.points[0].id, before: PointID(unchecked: "20261124T230502Z-b"),
                components: [ComponentName(unchecked: "c")], changed: 1, removed: 0,
                took: Milliseconds(4))
        case .list, .create, .show, .diff, .prune, .scrub, .repair: break
        }
        return reply
    }
}

extension RunningCoordinator {
    func ask(
        _ request: FleetPointRequest, at path: String = "/v1/points"
    ) async throws -> APIClient.Answer {
        try await api.send(.POST, path, json: request)
    }

    /// The records of the fleet's stream whose kind begins with `points_`.
    func pointEvents() async throws -> [EventLine] {
        try await api.get("/v1/events?stream=fleet&limit=1000").body([EventLine].self)
            .filter { $0.kind.hasPrefix("points_") }
    }
}

extension APIClient.Answer {
    /// The answers of all hosts, as they came.
    func lines() throws -> [PointAnswer] {
        try bytes.split(separator: UInt8(ascii: "\n")).map {
            try WireJSON.decode(PointAnswer.self, from: Array($0))
        }
    }
}
