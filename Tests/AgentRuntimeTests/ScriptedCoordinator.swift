import AgentRuntime
import FleetTransport
import FleetWire
import Foundation
import Logging
import NIOPosix

/// A coordinator that says what the test tells it to, over real TLS, to a real agent.
final class ScriptedCoordinator {
    struct Silent: Error { var waitedFor: String }

    let listener: FleetListener
    private var arrivals: AsyncStream<FleetListener.Incoming>.Iterator
    private var connection: FleetConnection?
    private var inbound: FleetConnection.Payloads.Iterator?
    private var orders = 0
    /// The term that its messages carry.
    var generation = Generation(rawValue: 3)
    private(set) var reports: [TransactionReport] = []
    /// All that the agent sent, as it came.
    private(set) var payloads: [[UInt8]] = []

    init(
        _ fleet: TestFleet, artifact: @escaping @Sendable (Digest) -> String? = { _ in nil }
    ) async throws {
        listener = try await FleetListener.bind(
            .init(host: "127.0.0.1", port: 0, authorize: { _ in nil }, artifact: artifact),
            tls: try TLSContext.server(
                try fleet.credentials("belay://coordinator/test", isServer: true)),
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        arrivals = listener.incoming.makeAsyncIterator()
    }

    /// Takes the agent's next connection and answers its hello.
    func welcome() async throws -> Hello {
        guard case .agent(let connection)? = await arrivals.next(isolation: nil) else {
            throw Silent(waitedFor: "a connection")
        }
        self.connection = connection
        inbound = connection.inbound.makeAsyncIterator()
        let message = try await next()
        let hello = try message.body(Hello.self)
        try await send(
            .welcome,
            Welcome(
                version: 1, features: [], host: HostID(unchecked: "h1"),
                heartbeatEvery: .seconds(1), payloadBytesMax: 1 << 20, now: hello.now,
                acknowledged: UInt64(reports.count)), re: message.header.id)
        return hello
    }

    func order(_ order: TransactionOrder) async throws { try await send(.order, order) }

    /// Takes reports, each once, until one of `kind` comes; welcomes the agent when it comes anew.
    func report(_ kind: ReportKind) async throws -> TransactionReport {
        while true {
            let message: ReceivedMessage
            do {
                message = try await next()
            } catch {
                // The session ended, by a close or in the middle of a message; so may the next.
                _ = try? await welcome()
                if Task.isCancelled { throw Silent(waitedFor: "\(kind)") }
                continue
            }
            guard message.header.type == .report else { continue }
            let report = try message.body(TransactionReport.self)
            guard report.sequence == UInt64(reports.count) + 1 else { continue }
            reports.append(report)
            // A session that ended meanwhile hears it in the next welcome.
            try? await send(.acknowledge, Acknowledgement(upTo: report.sequence))
            if report.kind == kind { return report }
        }
    }

    private func next() async throws -> ReceivedMessage {
        guard var iterator = inbound else { throw Silent(waitedFor: "a session") }
        defer { inbound = iterator }
        guard let payload = try await iterator.next() else {
            throw Silent(waitedFor: "a message")
        }
        payloads.append(payload)
        return try ReceivedMessage(payload: payload)
    }

    /// Asks a question; gives its answer, past all that is no answer.
    func ask(_ type: MessageType, _ body: some Codable & Sendable) async throws -> ReceivedMessage {
        try await send(type, body)
        let id = "c\(orders)"
        while true {
            let message = try await next()
            if message.header.re == id { return message }
        }
    }

    /// The first heartbeat that `fits`.
    func heartbeat(_ fits: (Heartbeat) -> Bool) async throws -> Heartbeat {
        while true {
            let message = try await next()
            guard message.header.type == .heartbeat else { continue }
            let beat = try message.body(Heartbeat.self)
            try await send(.heartbeat, Heartbeat(now: beat.now, metrics: [:]))
            if fits(beat) { return beat }
        }
    }

    /// Goes away: nobody listens any more, and the session ends.
    func vanish() async {
        await listener.close()
        connection?.close()
    }

    private func send(
        _ type: MessageType, _ body: some Codable & Sendable, re: String? = nil
    ) async throws {
        orders += 1
        let envelope = Envelope(
            type, id: "c\(orders)", re: re, gen: generation, body: body)
        try await connection?.send(try envelope.payload())
    }
}
