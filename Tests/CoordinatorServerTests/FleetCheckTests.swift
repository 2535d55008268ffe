@testable import CoordinatorServer
import FleetTransport
import FleetWire
import NIOHTTP1
import OperatorAPI
import RolloutPlan
import Testing

@Suite("Checks over the fleet", .serialized)
struct FleetCheckTests {
    private static let checks = ["a", "b"].map {
        CheckSpec(
            name: $0, kind: .validator(ValidatorCall(id: "memory_available", parameters: [:])))
    }

    private static func result(_ name: String) -> CheckResult {
        CheckResult(
            name: name, kind: "memory_available", level: .critical, status: .pass, measured: "1",
            remedy: nil, took: Milliseconds(1))
    }

    private static func wanted(_ checks: [CheckSpec] = checks) -> FleetCheckRequest {
        FleetCheckRequest(
            selection: HostSelection(selector: nil), checks: checks, variables: ["x": "1"])
    }

    private func ask(
        _ wanted: FleetCheckRequest, _ api: APIClient
    ) async throws -> APIClient.Answer {
        try await api.send(.POST, "/v1/checks", json: wanted)
    }

    private static func lines(_ answer: APIClient.Answer) throws -> [FleetCheckAnswer] {
        try answer.bytes.split(separator: UInt8(ascii: "\n")).map {
            try WireJSON.decode(FleetCheckAnswer.self, from: Array($0))
        }
    }

    /// Answers its first question as `behave` does, and hangs up.
    private func agent(
        _ name: String, _ credentials: TLSContext.Credentials, _ coordinator: RunningCoordinator,
        _ behave: @escaping @Sendable (TestAgent, CheckRequest, String) async throws -> Void
    ) async throws {
        let (agent, _) = try await TestAgent.connect(name, credentials, to: coordinator)
        let connection = agent.connection
        try await withTaskCancellationHandler {
            defer { connection.close() }
            while true {
                let message = try await agent.next()
                guard message.header.type == .check else { continue }
                try await behave(agent, try message.body(CheckRequest.self), message.header.id)
            }
        } onCancel: {
            connection.close()
        }
    }

    @Test("results come one by one, then each host's end; who does not answer has none")
    func streamed() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token(uses: 4)
            var all: [String: TLSContext.Credentials] = [:]
            for name in ["h1", "h2", "h3", "h4"] {
                all[name] = try await TestAgent.enrol(name, token: token, at: coordinator)
            }
            let credentials = all
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                for name in ["h1", "h2", "h4"] {
                    guard let own = credentials[name] else { continue }
                    group.addTask {
                        try? await agent(name, own, coordinator) { agent, request, re in
                            #expect(request.streams == true && request.variables == ["x": "1"])
                            #expect(request.labels == ["zone": "a"])
                            if name == "h2" {
                                let refusal = Refusal(code: "busy", reason: "not now")
                                return try await agent.send(.refused, refusal, re: re)
                            }
                            try await agent.send(.checkResult, Self.result("a"), re: re)
                            // One that nobody asked for is dropped.
                            try await agent.send(.checkResult, Self.result("b"), re: "c0-0")
                            try await agent.send(.checkResult, Self.result("z"), re: re)
                            if name == "h4" { return agent.connection.close() }
                            try await agent.send(.checkResult, Self.result("b"), re: re)
                            try await agent.send(
                                .checked, CheckReply(results: ["a", "b"].map(Self.result)), re: re)
                        }
                    }
                }
                try await eventually("all are connected") {
                    let status = try await coordinator.api.get("/v1/status").body(StatusView.self)
                    return status.connected == 3
                }
                let answer = try await ask(Self.wanted(), coordinator.api)
                #expect(answer.headers.first(name: "content-type") == "application/x-ndjson")
                let lines = try Self.lines(answer)
                #expect(lines.allSatisfy { $0.hosts == 4 })
                func of(_ host: String) -> [FleetCheckAnswer] {
                    lines.filter { $0.host.rawValue == host }
                }
                #expect(of("h1").map { $0.found?.name } == ["a", "b", nil])
                #expect(of("h1").last?.results?.map(\.name) == ["a", "b"])
                #expect(of("h2").map { $0.failure?.code } == ["busy"])
                #expect(of("h3").map { $0.failure?.code } == ["unreachable"])
                #expect(of("h4").map { $0.found?.name } == ["a", nil])
                #expect(of("h4").last?.failure?.code == "unreachable")
                #expect(of("h4").last?.results == nil)
            }
        }
    }

    @Test("they are an operator's, and what cannot be asked is refused before any host hears of it")
    func refused() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            _ = try await TestAgent.enrol("h1", token: token, at: coordinator)
            let grant = try await coordinator.api.send(
                .POST, "/v1/access", json: AccessRequest(name: "vera", role: .viewer, lifetime: nil)
            ).body(AccessGrant.self)
            let vera = coordinator.api(as: grant.token)
            #expect(try await ask(Self.wanted(), vera).status == 403)
            #expect(try await ask(Self.wanted([]), coordinator.api).code == "invalid")
            let twice = Self.checks + Self.checks
            #expect(try await ask(Self.wanted(twice), coordinator.api).code == "invalid")
            let many = (0...CoordinatorLimits.checksMax).map {
                CheckSpec(name: "\($0)", kind: Self.checks[0].kind)
            }
            #expect(try await ask(Self.wanted(many), coordinator.api).code == "invalid")
            var large = Self.wanted()
            large.variables = ["x": String(repeating: "a", count: 1 << 20)]
            #expect(try await ask(large, coordinator.api).code == "invalid")
            var wide = Self.wanted()
            wide.maxParallel = 0
            #expect(try await ask(wide, coordinator.api).code == "invalid")
            var none = Self.wanted()
            none.selection = HostSelection(selector: "zone=nowhere")
            #expect(try await ask(none, coordinator.api).code == "not_found")
        }
    }
}
