import ArgumentParser
import FoundationEssentials
import RegistryCore

/// `registry backup`: copies the catalog, also while the service runs.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the catalog into a folder, checked, as one file.")

    @OptionGroup var options: ServiceOptions
    @Argument(help: "The folder for copies.")
    var folder: String

    func run() async throws {
        let release = try options.release()
        let configuration = try options.configuration(for: release)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let target = "\(folder)/catalog-schema-\(release.schema).db"
        let catalog = try Catalog(path: configuration.databasePath, release: release)
        try await catalog.backup(to: target)
        print("catalog copied to \(target)")
    }
}
