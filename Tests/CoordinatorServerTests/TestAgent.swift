import CoordinatorServer
import FleetTransport
import FleetWire
import NIOPosix

/// A small agent over real TLS: it says what a test tells it to say.
final class TestAgent {
    let host: HostID
    let connection: FleetConnection
    private var payloads: FleetConnection.Payloads.Iterator
    private var sent = 0

    init(host: HostID, connection: FleetConnection) {
        self.host = host
        self.connection = connection
        payloads = connection.inbound.makeAsyncIterator()
    }

    static func connector(_ port: Int) -> FleetConnector {
        FleetConnector(
            host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
    }

    /// Enrols over the wire; throws the coordinator's `Refusal`.
    static func enrol(
        _ name: String, token: String, key: String? = nil, at coordinator: RunningCoordinator
    ) async throws -> TLSContext.Credentials {
        let host = HostID(unchecked: name)
        let key =
            try key.map { try CertificateRequest(for: host, key: $0) }
            ?? CertificateRequest(for: host)
        let tls = try TLSContext.enrolling(pinned: coordinator.home.authority.fingerprint)
        let connection = try await connector(coordinator.agentsPort).connect(tls)
        defer { connection.close() }
        let agent = TestAgent(host: host, connection: connection)
        try await agent.send(.enrol, EnrolRequest(token: token, host: host, csr: key.request))
        let answer = try await agent.next()
        if answer.header.type == .refused { throw try answer.body(Refusal.self) }
        let grant = try answer.body(CertificateGrant.self)
        return .init(chain: grant.certificate, key: key.key, authority: grant.authority)
    }

    /// Connects and says hello; returns once the welcome is there.
    static func connect(
        _ name: String, _ credentials: TLSContext.Credentials, to coordinator: RunningCoordinator,
        generation: UInt64 = 0
    ) async throws -> (TestAgent, Welcome) {
        let tls = try TLSContext.client(credentials, service: .frames)
        let agent = TestAgent(
            host: HostID(unchecked: name),
            connection: try await connector(coordinator.agentsPort).connect(tls))
        try await agent.send(
            .hello,
            Hello(
                versions: [1], features: [], agentVersion: "0", facts: ["kernel": "x"],
                now: wallClock(), generation: Generation(rawValue: generation),
                payloadBytesMax: 1 << 20,
                open: nil))
        let welcome = try await agent.next()
        return (agent, try welcome.body(Welcome.self))
    }

    func send(_ type: MessageType, _ body: some Codable & Sendable, re: String? = nil) async throws
    {
        sent += 1
        try await connection.send(
            Envelope(type, id: "a\(sent)", re: re, body: body).payload())
    }

    /// The next message; throws when the connection ended.
    func next() async throws -> ReceivedMessage {
        guard let payload = try await payloads.next() else { throw TLSError.closed }
        return try ReceivedMessage(payload: payload)
    }

    func report(_ sequence: UInt64, rollout: String = "gone-1") -> TransactionReport {
        TransactionReport(
            sequence: sequence, rollout: RolloutID(unchecked: rollout), attempt: 1,
            at: wallClock(), kind: .prepared)
    }
}
