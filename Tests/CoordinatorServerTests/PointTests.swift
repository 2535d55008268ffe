@testable import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutCore
import RolloutPlan
import Synchronization
import Testing

@Suite("Points over the fleet", .serialized)
struct PointTests {
    private static let names = ["h1", "h2", "h3", "h4"]

    private func all(_ request: PointRequest) -> FleetPointRequest {
        FleetPointRequest(selection: HostSelection(selector: nil), request: request)
    }

    private func with(
        _ names: [String] = PointTests.names, away: Set<String> = [],
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

    @Test("a question gives one line a host, and says of those that are away that they are")
    func question() async throws {
        try await with(away: ["h3"]) { host, request, _ in
            if host.rawValue == "h2" { throw Refusal(code: "not_found", reason: "no such point") }
            return PointAgents.healthy(host, request)
        } _: { coordinator, _ in
            let answer = try await coordinator.ask(
                all(PointRequest(action: .show, point: "latest")), at: "/v1/points/query")
            #expect(answer.status == 200)
            #expect(answer.headers.first(name: "content-type") == "application/x-ndjson")
            let lines = try answer.lines().sorted { $0.host < $1.host }
            #expect(lines.map(\.host.rawValue) == Self.names)
            #expect(lines.allSatisfy { $0.hosts == 4 && $0.operation == nil })
            #expect(lines.map { $0.failure?.code } == [nil, "not_found", "unreachable", nil])
            #expect(lines[2].failure?.message.contains("not connected") == true)
            #expect(try await coordinator.pointEvents().isEmpty)
        }
    }

    @Test("a selection is one of hosts, selector and all, and is never empty")
    func selection() async throws {
        try await with(["h1", "h2"]) { host, request, _ in
            PointAgents.healthy(host, request)
        } _: { coordinator, _ in
            let list = PointRequest(action: .list)
            func ask(_ selection: HostSelection) async throws -> APIClient.Answer {
                try await coordinator.ask(
                    FleetPointRequest(selection: selection, request: list), at: "/v1/points/query")
            }
            let h2 = HostSelection(hosts: [HostID(unchecked: "h2"), HostID(unchecked: "h2")])
            #expect(try await ask(h2).lines().map(\.host.rawValue) == ["h2"])
            #expect(try await ask(HostSelection(selector: "zone=a")).lines().count == 2)
            #expect(try await ask(HostSelection(selector: "zone=b")).code == "not_found")
            #expect(try await ask(HostSelection(selector: "zone=(")).code == "invalid")
            #expect(try await ask(HostSelection(hosts: [])).code == "invalid")
            let unknown = HostSelection(hosts: [HostID(unchecked: "h9")])
            #expect(try await ask(unknown).status == 404)
            var two = HostSelection(selector: "zone=a")
            two.all = true
            #expect(try await ask(two).code == "invalid")
            _ = try await coordinator.api.send(
                .POST, "/v1/hosts/h2/revoke", json: ReasonBody(reason: "stolen"))
            #expect(try await ask(h2).code == "conflict")
            #expect(try await ask(HostSelection(selector: nil)).lines().count == 1)
        }
    }

    @Test("viewers ask, operators order, and what would be ignored is refused")
    func roles() async throws {
        try await with(["h1"]) { host, request, _ in
            PointAgents.healthy(host, request)
        } _: { coordinator, agents in
            let grant = try await coordinator.api.send(
                .POST, "/v1/access",
                json: AccessRequest(name: "vera", role: .viewer, lifetime: nil)
            ).body(AccessGrant.self)
            let vera = coordinator.api(as: grant.token)
            func send(_ path: String, _ request: PointRequest) async throws -> APIClient.Answer {
                try await vera.send(.POST, path, json: all(request))
            }
            for action in PointRequest.Action.allCases {
                let needsPoint = ![.list, .create, .prune, .scrub].contains(action)
                let request = PointRequest(action: action, point: needsPoint ? "latest" : nil)
                #expect(try await send("/v1/points", request).status == 403)
                let isQuestion = [.list, .show, .diff, .verify].contains(action)
                let answer = try await send("/v1/points/query", request)
                #expect(answer.status == (isQuestion ? 200 : 400), "\(action)")
            }
            #expect(agents.asked.hosts(.create).isEmpty && agents.asked.hosts(.restore).isEmpty)
            var odd = PointRequest(action: .restore, point: "latest")
            odd.noCapture = true
            #expect(try await coordinator.ask(all(odd)).code == "invalid")
            var deep = PointRequest(action: .list)
            deep.deep = true
            #expect(try await coordinator.ask(all(deep)).code == "invalid")
            #expect(
                try await coordinator.ask(all(PointRequest(action: .restore))).code == "invalid")
            var wide = all(PointRequest(action: .list))
            wide.maxParallel = 0
            #expect(try await coordinator.ask(wide).code == "invalid")
        }
    }

    @Test("an order is in the journal before a host hears of it, with who, why and generation")
    func journaled() async throws {
        let heard = Mutex<[String]>([])
        let look = Mutex<(@Sendable () async throws -> [EventLine])?>(nil)
        try await with(["h1", "h2"], away: ["h2"]) { host, request, generation in
            let events = try await look.withLock { $0 }?() ?? []
            heard.withLock {
                $0 = events.map { "\($0.kind) \($0.actor)" } + ["gen \(generation?.rawValue ?? 0)"]
            }
            return PointAgents.healthy(host, request)
        } _: { coordinator, _ in
            look.withLock { $0 = { try await coordinator.pointEvents() } }
            var request = PointRequest(action: .create)
            request.name = "before-upgrade"
            request.reason = "kernel update"
            request.components = RolloutTests.plan().components
            let lines = try await coordinator.ask(all(request)).lines()
            #expect(heard.withLock { $0.first } == "points_ordered operator:admin")
            #expect(heard.withLock { $0.last } == "gen 1")
            #expect(Set(lines.map(\.operation)).count == 1 && lines[0].operation != nil)
            try await eventually("it has ended") {
                try await coordinator.pointEvents().last?.kind == "points_ended"
            }
            let events = try await coordinator.pointEvents()
            #expect(events[0].event.contains("kernel update"))
            #expect(events[0].event.contains("before-upgrade"))
            let outcomes = events.filter { $0.kind == "points_answered" }.map(\.actor)
            #expect(outcomes.sorted() == ["coordinator", "host:h1"])
        }
    }

    @Test("a host that knows no components says how they are named")
    func components() async throws {
        try await with(["h1"]) { _, request, _ in
            #expect(request.components == nil)
            throw Refusal(code: "invalid", reason: "no rollout has told this host its components")
        } _: { coordinator, _ in
            let lines = try await coordinator.ask(all(PointRequest(action: .create))).lines()
            #expect(lines.first?.failure?.remedy?.contains("--plan") == true)
        }
    }

    @Test("no more hosts are asked at the same time than was said")
    func parallel() async throws {
        let gate = Crowd()
        try await with { host, request, _ in
            await gate.pass()
            return PointAgents.healthy(host, request)
        } _: { coordinator, _ in
            var wanted = all(PointRequest(action: .list))
            wanted.maxParallel = 2
            let lines = try await coordinator.ask(wanted, at: "/v1/points/query").lines()
            #expect(lines.count == 4)
            #expect(await gate.most <= 2)
        }
    }

    @Test("a host that does not answer in time is unreachable, and others have answered")
    func late() async throws {
        try await with(["h1", "h2"]) { host, request, _ in
            if host.rawValue == "h1" { try await Task.sleep(for: .seconds(60)) }
            return PointAgents.healthy(host, request)
        } _: { coordinator, _ in
            var wanted = all(PointRequest(action: .list))
            wanted.within = Milliseconds(300)
            let lines = try await coordinator.ask(wanted, at: "/v1/points/query").lines()
            #expect(lines.map(\.host.rawValue) == ["h2", "h1"])
            #expect(lines[1].failure?.code == "unreachable")
        }
    }
}

/// Counts how many are in at the same time.
actor Crowd {
    private var inside = 0
    private(set) var most = 0

    /// Stays until `expected` were in at the same time, or others had their chance to come in.
    func pass(awaiting expected: Int = 0) async {
        inside += 1
        most = max(most, inside)
        let deadline = ContinuousClock.now + .seconds(10)
        for _ in 0..<200 { await Task.yield() }
        while most < expected, ContinuousClock.now < deadline { await Task.yield() }
        inside -= 1
    }
}
