import FoundationEssentials
import Logging

/// The service's configuration, the same for every release once it is read.
///
/// The files differ: release 1 reads `storage.path`, release 2 reads `storage.driver`,
/// `storage.path` and `storage.pool`. Neither accepts the other's file.
package struct Configuration: Sendable, Equatable {
    /// The loopback address to listen on.
    package var host: String
    /// The port to listen on; 0 lets the system choose.
    package var port: Int
    /// The SQLite database.
    package var databasePath: String
    /// How many connections read the database at the same time; always 1 in release 1.
    package var pool: Int
    /// The folder of the datasets.
    package var datasetsDirectory: String
    /// The flagd definition file.
    package var flagsPath: String
    /// The least severe level that is logged.
    package var logLevel: String
    /// The file that it was read from; nil when its text was given.
    package var file: String?

    /// Reads and checks a file; the error lists every problem with its line and column.
    ///
    /// Relative paths in it are relative to the file's folder.
    package static func read(
        from path: String, for release: Release
    ) throws(RegistryProblem) -> Configuration {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw RegistryProblem(
                .unavailable, "cannot read the configuration \(path): no such file, or no UTF-8")
        }
        var configuration = try parse(text, from: path, for: release)
        configuration.file = path
        return configuration
    }

    /// Checks the text of a configuration file; `path` names it in errors.
    package static func parse(
        _ text: String, from path: String, for release: Release
    ) throws(RegistryProblem) -> Configuration {
        var reader = try ConfigurationReader(text: text, file: path)
        let versioned = release.generation != .one
        let root = reader.mapping(
            reader.root, at: "", keys: ["listen", "storage", "datasets", "flags", "log"])
        let listen = reader.mapping(root["listen"], at: "listen", keys: ["host", "port"])
        let storage = reader.mapping(
            root["storage"], at: "storage", keys: versioned ? ["driver", "path", "pool"] : ["path"])
        let datasets = reader.mapping(root["datasets"], at: "datasets", keys: ["directory"])
        let flags = reader.mapping(root["flags"], at: "flags", keys: ["path"])
        let log = reader.mapping(root["log"], at: "log", keys: ["level"])

        let configuration = Configuration(
            host: reader.string(listen["host"], at: "listen.host"),
            port: reader.integer(listen["port"], at: "listen.port", in: 0...65_535),
            databasePath: reader.path(storage["path"], at: "storage.path"),
            pool: versioned
                ? reader.integer(storage["pool"], at: "storage.pool", in: 1...16) : 1,
            datasetsDirectory: reader.path(datasets["directory"], at: "datasets.directory"),
            flagsPath: reader.path(flags["path"], at: "flags.path"),
            logLevel: reader.string(
                log["level"], at: "log.level", among: Logger.Level.allCases.map(\.rawValue)))
        if versioned {
            _ = reader.string(storage["driver"], at: "storage.driver", among: ["sqlite"])
        }
        reader.check(
            configuration.host == "::1" || configuration.host == "localhost"
                || configuration.host.hasPrefix("127."),
            listen["host"],
            "listen.host must be a loopback address, as 127.0.0.1: the demo serves no network")
        try reader.finish(release: release)
        return configuration
    }
}
