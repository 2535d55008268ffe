import CoordinatorServer
import FleetTransport
import FleetWire
import OperatorAPI
import Testing

@Suite("Two agents with one identity", .serialized)
struct RivalTests {
    /// Connects and says hello; gives the first answer, whatever it is.
    private static func dial(
        _ credentials: TLSContext.Credentials, _ coordinator: RunningCoordinator
    ) async throws -> (TestAgent, ReceivedMessage) {
        let tls = try TLSContext.client(credentials, service: .frames)
        let agent = TestAgent(
            host: HostID(unchecked: "h1"),
            connection: try await TestAgent.connector(coordinator.agentsPort).connect(tls))
        try await agent.send(
            .hello,
            Hello(
                versions: [1], features: [], agentVersion: "0", facts: [:], now: wallClock(),
                generation: Generation(rawValue: 0), payloadBytesMax: 1 << 20, open: nil))
        return (agent, try await agent.next())
    }

    @Test("keep the first that lives; the second is turned away, and both are named")
    func second() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let (first, _) = try await Self.dial(credentials, coordinator)
                    await answerChecks(first)
                }
                try await eventually("the first is connected") {
                    try await coordinator.api.get("/v1/status").body(StatusView.self).connected == 1
                }
                for _ in 0..<2 {
                    let (second, answer) = try await Self.dial(credentials, coordinator)
                    #expect(answer.header.type == .bye)
                    let farewell = try answer.body(Farewell.self)
                    #expect(farewell.reason.contains("two agents use the identity of h1"))
                    #expect(farewell.retryAfter == .seconds(60))
                    second.connection.close()
                }
                try await eventually("the host's trouble names both") {
                    let host = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
                    return host.connected && host.troubles.map(\.kind) == ["identity_in_use_twice"]
                        && host.troubles[0].text.contains("which stays")
                }
                let metrics = try await coordinator.api.get("/metrics").text
                #expect(
                    metrics.contains(
                        "belay_host_troubles{host=\"h1\",kind=\"identity_in_use_twice\"} 1"))
                // Once enrolled anew it is another identity, and the trouble is over.
                let other = try await coordinator.api.token(host: HostID("h1"))
                _ = try await TestAgent.enrol("h1", token: other, at: coordinator)
                let host = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
                #expect(host.troubles.isEmpty)
            }
        }
    }

    @Test("are not seen in an agent whose old connection broke unnoticed")
    func halfOpen() async throws {
        let scratch = try Scratch()
        try await RunningCoordinator.run(.memory, in: scratch) { coordinator in
            let token = try await coordinator.api.token()
            let credentials = try await TestAgent.enrol("h1", token: token, at: coordinator)
            // The first one never answers, as if its packets were lost.
            let (first, _) = try await Self.dial(credentials, coordinator)
            let (second, answer) = try await Self.dial(credentials, coordinator)
            #expect(answer.header.type == .welcome)
            let host = try await coordinator.api.get("/v1/hosts/h1").body(HostView.self)
            #expect(host.connected && host.troubles.isEmpty)
            first.connection.close()
            second.connection.close()
        }
    }
}

/// Answers checks until the connection ends, as any agent does.
private func answerChecks(_ agent: TestAgent) async {
    do {
        while true {
            let message = try await agent.next()
            guard message.header.type == .check else { continue }
            try await agent.send(.checked, CheckReply(results: []), re: message.header.id)
        }
    } catch {}
}
