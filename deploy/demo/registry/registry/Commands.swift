import ArgumentParser
import FoundationEssentials
import RegistryCore

/// `registry check`: looks at everything the service needs, without serving.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check configuration, flags, catalog and every dataset; exit 0 if all is well.")

    @OptionGroup var options: ServiceOptions
    @Flag(help: "Check the configuration file alone.")
    var configurationOnly = false

    func run() async throws {
        let release = try options.release()
        let configuration = try options.configuration(for: release)
        guard !configurationOnly else {
            print("configuration of release \(release.version): valid")
            return
        }
        let registry = try Registry(configuration: configuration, release: release)
        let health = await registry.health()
        for check in health.checks {
            print("\(check.ok ? "ok  " : "FAIL") \(check.name): \(check.detail)")
        }
        guard health.isOK else { throw ExitCode(1) }
        print("ok   contents: \(try await registry.checkDatasets()) datasets read back")
    }
}

/// `registry init`: makes an empty catalog.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make an empty catalog at schema 1.")

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        let release = try options.release()
        let configuration = try options.configuration(for: release)
        guard release.schema == 1 else {
            throw RegistryProblem(
                .invalid,
                "release \(release.version) makes no catalog: make it with release 1, then migrate")
        }
        try FileManager.default.createDirectory(
            atPath: configuration.datasetsDirectory, withIntermediateDirectories: true)
        try Catalog.create(path: configuration.databasePath)
        print("catalog \(configuration.databasePath): schema 1")
    }
}

/// `registry register`: takes datasets without the service.
struct RegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register CSV files; each dataset gets its file's name.")

    @OptionGroup var options: ServiceOptions
    @Argument(help: "CSV files.")
    var files: [String]

    func run() async throws {
        let registry = try options.registry()
        for file in files {
            let url = URL(fileURLWithPath: file)
            guard let data = try? Data(contentsOf: url) else {
                throw RegistryProblem(.unavailable, "cannot read \(file)")
            }
            let name = url.deletingPathExtension().lastPathComponent
            let record = try await registry.register(name, csv: Array(data))
            print("\(record.name) version \(record.version): \(record.rows) rows \(record.sha256)")
        }
    }
}

/// `registry features`: computes the features of a dataset as the service would.
struct FeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features", abstract: "Compute the features of one dataset.")

    @OptionGroup var options: ServiceOptions
    @Argument(help: "The dataset's name.")
    var name: String

    func run() async throws {
        print(try await options.registry().features(of: name))
    }
}

/// `registry migrate-datasets`: moves datasets into the layout of release 2.
struct MigrateDatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate-datasets",
        abstract: "Move the files of all datasets into the layout of release 2; may be repeated.")

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        for (name, outcome) in try await options.registry().migrateDatasets() {
            switch outcome {
            case .moved: print("\(name): moved")
            case .alreadyInPlace: print("\(name): already in place")
            }
        }
    }
}

/// `registry release`: says which release this is.
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Print version and schema of this release.")

    func run() async throws {
        let release = try ServiceOptions.parse([]).release()
        print("registry \(release.version), schema \(release.schema)")
    }
}
