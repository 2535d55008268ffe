import ArgumentParser
import Hummingbird
import Logging
import RegistryCore
import ServiceLifecycle
import UnixSignals

/// `registry serve`: the service.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the API on a loopback address.")

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        let registry = try options.registry()
        var logger = Logger(label: "registry")
        logger.logLevel = Logger.Level(rawValue: registry.configuration.logLevel) ?? .info
        let api = RegistryAPI(registry: registry, metrics: ServiceMetrics(), logger: logger)
        let version = registry.release.version
        let application = Application(
            router: api.router(),
            configuration: ApplicationConfiguration(
                address: .hostname(
                    registry.configuration.host, port: registry.configuration.port),
                serverName: "registry/\(version)"),
            onServerRunning: { [logger] channel in
                logger.info(
                    "release \(version) listens on \(channel.localAddress?.description ?? "?")")
            },
            logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [application], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
    }
}
