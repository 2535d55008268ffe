import FleetTransport
import FleetWire
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Collects what a listener logs.
final class CollectedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    func contains(_ text: String) -> Bool {
        lines.withLock { $0.contains { $0.contains(text) } }
    }

    var all: [String] { lines.withLock { $0 } }

    struct Handler: LogHandler {
        let log: CollectedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(log: CollectedLog) { self.log = log }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
            log.lines.withLock { $0.append("\(event.message) \(fields.joined(separator: " "))") }
        }
    }
}

/// A listener on loopback that answers each frame with the same bytes.
final class TestFleet: Sendable {
    let authority: TestAuthority
    let log = CollectedLog()
    let port: Int
    private let listener: FleetListener
    private let echo: Task<Void, Never>
    static let group = MultiThreadedEventLoopGroup.singleton

    init(
        authority: TestAuthority, server: TLSContext.Credentials? = nil,
        limits: TransportLimits = TransportLimits(), artifacts: [FleetWire.Digest: String] = [:]
    ) async throws {
        self.authority = authority
        let revoked = RevokedHosts()
        self.revokedHosts = revoked
        listener = try await FleetListener.bind(
            FleetListener.Configuration(
                host: "127.0.0.1", port: 0, limits: limits,
                authorize: { peer in
                    revoked.contains(peer.host) ? "host is revoked" : nil
                }, artifact: { artifacts[$0] }),
            tls: try TLSContext.server(server ?? authority.coordinator()), group: Self.group,
            logger: log.logger)
        port = listener.port
        let incoming = listener.incoming
        echo = Task {
            await withDiscardingTaskGroup { group in
                for await arrival in incoming {
                    group.addTask { await Self.answer(arrival) }
                }
            }
        }
    }

    let revokedHosts: RevokedHosts

    final class RevokedHosts: Sendable {
        private let hosts = Mutex<Set<HostID>>([])
        func insert(_ host: HostID) { hosts.withLock { _ = $0.insert(host) } }
        func contains(_ host: HostID?) -> Bool {
            hosts.withLock { host.map($0.contains) ?? false }
        }
    }

    private static func answer(_ arrival: FleetListener.Incoming) async {
        switch arrival {
        case .agent(let connection), .enrolment(let connection):
            do {
                for try await payload in connection.inbound { try await connection.send(payload) }
            } catch {}
            connection.close()
        }
    }

    func connector(limits: TransportLimits = TransportLimits()) -> FleetConnector {
        FleetConnector(host: "127.0.0.1", port: port, group: Self.group, limits: limits)
    }

    /// Sends one payload and gives what comes back.
    func roundTrip(_ tls: TLSContext, _ payload: [UInt8] = [1, 2, 3]) async throws -> [UInt8] {
        let connection = try await connector().connect(tls)
        defer { connection.close() }
        try await connection.send(payload)
        var iterator = connection.inbound.makeAsyncIterator()
        guard let answer = try await iterator.next() else { throw TLSError.closed }
        return answer
    }

    /// Waits until the log says `text`; false after five seconds.
    func logs(_ text: String) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < deadline {
            if log.contains(text) { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    func stop() async {
        await listener.close()
        echo.cancel()
    }
}

/// A blocking TCP socket, for what no TLS library would send.
final class BareSocket {
    let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw TLSError.broken("connect: \(errno)") }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// True if all bytes went out.
    func send(_ bytes: [UInt8]) -> Bool {
        Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// True if the other side closed within five seconds.
    func isClosedByPeer() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 1024)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count == 0 { return true }
            if count < 0 { return errno == ECONNRESET }
        }
    }

    deinit { close(descriptor) }
}
