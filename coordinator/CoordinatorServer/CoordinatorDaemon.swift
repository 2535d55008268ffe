import FleetTransport
package import FleetWire
import Glibc
import Hummingbird
import HummingbirdTLS
package import Logging
import NIOCore
import NIOPosix
import NIOSSL
import OperatorAPI
import ServiceLifecycle
package import StateStore
import Synchronization

/// The whole coordinator: both ports around one `Coordinator`.
package struct CoordinatorDaemon: Service, CustomStringConvertible {
    /// An address to listen on.
    package struct Endpoint: Sendable, Hashable {
        /// A name or an IP address.
        package var host: String
        /// 0 takes a free one.
        package var port: Int
        /// An endpoint of these parts.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
        /// Reads `HOST:PORT` or `[IPV6]:PORT`; nil for anything else.
        package init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            else { return nil }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard !host.isEmpty else { return nil }
            self.init(host: String(host), port: Int(port))
        }
        /// `HOST:PORT`.
        package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// Where the ports were bound, and by whom; the content of `coordinator.json`.
    package struct Listening: Codable, Sendable, Hashable {
        /// The agents' port.
        package var agents: String
        /// The operators' port.
        package var api: String
        /// The process.
        package var pid: Int32
    }

    /// Its kind only: loggers print services, and this one holds a private key.
    package var description: String { "CoordinatorDaemon" }

    private let home: CoordinatorHome
    private let store: any StateStore
    private let agents: Endpoint
    private let api: Endpoint
    private let logger: Logger
    private let clock: @Sendable () -> Timestamp
    private let listening: @Sendable (Listening) throws -> Void

    /// A coordinator of `home` over `store`; `listening` is told once both ports are open.
    package init(
        home: CoordinatorHome, store: any StateStore, agents: Endpoint, api: Endpoint,
        logger: Logger, clock: @escaping @Sendable () -> Timestamp,
        listening: @escaping @Sendable (Listening) throws -> Void
    ) {
        self.home = home
        self.store = store
        self.agents = agents
        self.api = api
        self.logger = logger
        self.clock = clock
        self.listening = listening
    }

    /// Runs until a graceful shutdown or cancellation. Throws when a port cannot be opened, the
    /// journal cannot be read, or another process writes it.
    package func run() async throws {
        let coordinator = Coordinator(
            store: store, authority: home.authority, logger: logger, clock: clock)
        try await coordinator.recover()
        let artifacts = try ArtifactStore(directory: home.directory + "/artifacts")
        let tls = try TLSContext.server(
            .init(chain: home.chain, key: home.key, authority: home.authority.certificatePEM))
        let listener = try await bindAgents(coordinator, artifacts, tls)
        let app = try application(coordinator, artifacts, agentsPort: listener.port)
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: DecidingService(coordinator: coordinator)),
                .init(
                    service: AgentsService(
                        coordinator: coordinator, listener: listener, logger: logger)),
                .init(service: app),
            ], logger: Self.quiet(logger))
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError {
            throw Self.describe(error, opening: api)
        }
    }

    /// An error in words for the operator: what failed, and on a second line what to do.
    package static func text(of error: any Error) -> String {
        guard let failure = error as? APIFailure else { return "\(error)" }
        return failure.message + (failure.remedy.map { "\n  try: " + $0 } ?? "")
    }

    private func bindAgents(
        _ coordinator: Coordinator, _ artifacts: ArtifactStore, _ tls: TLSContext
    ) async throws -> FleetListener {
        let configuration = FleetListener.Configuration(
            host: agents.host, port: agents.port,
            authorize: { peer in
                guard let host = peer.host else { return "that is no host" }
                return coordinator.refusal(host: host, serial: peer.serial)
            },
            artifact: { artifacts.file(of: $0) })
        do {
            return try await FleetListener.bind(
                configuration, tls: tls, group: MultiThreadedEventLoopGroup.singleton,
                logger: logger)
        } catch let error as IOError {
            throw Self.describe(error, opening: agents)
        }
    }

    private func application(
        _ coordinator: Coordinator, _ artifacts: ArtifactStore, agentsPort: Int
    ) throws -> some Service {
        let routes = APIRoutes(
            coordinator: coordinator, authority: home.authority, artifacts: artifacts,
            name: home.identity.name, certificateEnds: home.certificateEnds)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(home.chain.utf8))
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(home.key.utf8), format: .pem))
        )
        tls.minimumTLSVersion = .tlsv13
        let agents = Endpoint(host: agents.host, port: agentsPort)
        return Application(
            router: routes.router(door: APIDoor(coordinator: coordinator, logger: logger)),
            server: try .tls(.http1(), tlsConfiguration: tls),
            configuration: .init(
                address: .hostname(api.host, port: api.port), serverName: nil),
            onServerRunning: { [listening, logger, api] channel in
                let bound = Listening(
                    agents: agents.text,
                    api: Endpoint(host: api.host, port: channel.localAddress?.port ?? 0).text,
                    pid: getpid())
                logger.notice(
                    "listening", metadata: ["agents": "\(bound.agents)", "api": "\(bound.api)"])
                do {
                    try listening(bound)
                } catch {
                    logger.error("cannot tell where we listen", metadata: ["reason": "\(error)"])
                }
            }, logger: Self.quiet(logger))
    }

    /// For libraries, whose lower levels are about themselves.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(.notice, logger.logLevel)
        return quiet
    }

    private static func describe(_ error: IOError, opening endpoint: Endpoint) -> APIFailure {
        let remedy =
            switch error.errnoCode {
            case EADDRINUSE:
                "another process has the port; stop it, or choose another with --agents or --api"
            case EACCES: "ports below 1024 need a privilege; choose a higher one"
            default: "choose an address of this machine with --agents or --api"
            }
        return APIFailure(
            code: "failed",
            message: "cannot listen on \(endpoint.text): "
                + String(cString: strerror(error.errnoCode)), remedy: remedy)
    }
}

/// The loop of decisions; the last to stop, so that what the ports took in becomes durable.
private struct DecidingService: Service {
    let coordinator: Coordinator

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await coordinator.run()
        } onGracefulShutdown: {
            coordinator.stop()
        }
    }
}

/// Serves the agents' port.
private struct AgentsService: Service {
    let coordinator: Coordinator
    let listener: FleetListener
    let logger: Logger

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask {
                try? await gracefulShutdown()
                await listener.close()
                await coordinator.dismissAll()
            }
            for await incoming in listener.incoming {
                switch incoming {
                case .agent(let connection):
                    group.addTask { await coordinator.serve(connection) }
                case .enrolment(let connection):
                    group.addTask { await coordinator.enrol(connection) }
                }
            }
            // Sessions end by their farewell; enrolments would hold us until they time out.
            await coordinator.waitUntilEmpty(within: CoordinatorLimits.farewellWithin)
            group.cancelAll()
        }
    }
}
