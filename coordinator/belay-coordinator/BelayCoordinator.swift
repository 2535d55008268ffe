import ArgumentParser
import CoordinatorServer
import FleetWire
import Foundation
import Logging
import ServiceLifecycle
import StateStore
import UnixSignals

/// The coordinator's executable.
@main
struct BelayCoordinator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay-coordinator",
        abstract: "Coordinate staged rollouts over a fleet of Belay agents.",
        discussion: "All settings are flags; there is no configuration file.",
        version: CoordinatorVersion.text,
        subcommands: [InitCommand.self, RunCommand.self])

    /// The state directory.
    static let stateDefault = "/var/lib/belay-coordinator"

    /// The wall clock.
    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// Says what failed, and gives exit code 1.
    static func fail(_ error: any Error) -> ExitCode {
        let text = "belay-coordinator: " + CoordinatorDaemon.text(of: error)
        FileHandle.standardError.write(Data((text + "\n").utf8))
        return ExitCode(1)
    }
}

/// Makes a coordinator's state.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the authority and the coordinator's certificate, and print the first "
            + "admin token on stdout.",
        discussion: "The token is shown this once. Nothing that is there already is overwritten.")

    @Option(help: "The state directory; made with mode 0700 if it is missing.")
    var state = BelayCoordinator.stateDefault
    @Option(help: "The coordinator's name.")
    var name = "belay"
    @Option(
        help: "A name or IP address under which agents and operators reach it; can be repeated.")
    var address: [String] = []

    func run() async throws {
        do {
            var addresses = ["localhost", "127.0.0.1", "::1", ProcessInfo.processInfo.hostName]
            addresses += address
            var seen: Set<String> = []
            let token = try await CoordinatorHome.make(
                in: state,
                identity: .init(
                    name: name, addresses: addresses.filter { seen.insert($0).inserted }),
                now: BelayCoordinator.now())
            FileHandle.standardError.write(Data(Self.advice(state).utf8))
            print(token)
        } catch {
            throw BelayCoordinator.fail(error)
        }
    }
}

extension InitCommand {
    /// What comes next.
    fileprivate static func advice(_ state: String) -> String {
        let option = state == BelayCoordinator.stateDefault ? "" : " --state \(state)"
        return """
            made a coordinator in \(state)
              start it:  belay-coordinator run\(option)
              sign in:   set BELAY_CACERT to a copy of \(state)/authority.pem, and BELAY_TOKEN to \
            the token on stdout, which is shown this once

            """
    }
}

/// Runs the coordinator.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the coordinator until SIGTERM or SIGINT.",
        discussion: "Once both ports are open, STATE/coordinator.json says where they are. "
            + "All settings are flags; there is no configuration file.")

    @Option(help: "The state directory.")
    var state = BelayCoordinator.stateDefault
    @Option(
        help: "Where agents connect, HOST:PORT; 0.0.0.0 for all addresses, port 0 for a free one.")
    var agents = "127.0.0.1:7430"
    @Option(
        help:
            "Where operators connect, HOST:PORT; 0.0.0.0 for all addresses, port 0 for a free one.")
    var api = "127.0.0.1:7431"
    @Option(help: "The least level that is logged: debug, info, notice, warning, error.")
    var logLevel = "info"

    func validate() throws {
        for text in [agents, api] where CoordinatorDaemon.Endpoint(text) == nil {
            throw ValidationError("\(text) is not HOST:PORT")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("\(logLevel) is no level")
        }
    }

    func run() async throws {
        var logger = Logger(label: "belay-coordinator") {
            StreamLogHandler.standardError(label: $0)
        }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        do {
            guard let agents = CoordinatorDaemon.Endpoint(agents),
                let api = CoordinatorDaemon.Endpoint(api)
            else { return }
            try await serve(agents, api, logger)
        } catch {
            throw BelayCoordinator.fail(error)
        }
    }

    private func serve(
        _ agents: CoordinatorDaemon.Endpoint, _ api: CoordinatorDaemon.Endpoint, _ logger: Logger
    ) async throws {
        let home = try CoordinatorHome(
            directory: state, now: BelayCoordinator.now(), logger: logger)
        let store = try SQLiteStateStore(directory: state)
        let path = state + "/coordinator.json"
        try? FileManager.default.removeItem(atPath: path)
        let daemon = CoordinatorDaemon(
            home: home, store: store, agents: agents, api: api, logger: logger,
            clock: BelayCoordinator.now,
            listening: { try PrivateFiles.write(WireJSON.encode($0), to: path) })
        defer { try? FileManager.default.removeItem(atPath: path) }
        let group = ServiceGroup(
            configuration: .init(
                services: [daemon], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        try await group.run()
    }
}
