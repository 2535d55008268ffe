/// The dataset registry: what the API does, without HTTP.
package struct Registry: Sendable {
    /// The release that this process runs as.
    package let release: Release
    /// The configuration it was started with.
    package let configuration: Configuration
    private let catalog: CatalogPool
    private let files: DatasetFiles
    private let flags: FlagFile

    /// The most bytes that one dataset may have.
    package static let datasetBytesMax = 8 << 20

    /// Opens catalog and flags; each refusal says what to do.
    package init(configuration: Configuration, release: Release) throws {
        self.release = release
        self.configuration = configuration
        catalog = try CatalogPool(
            path: configuration.databasePath, readers: configuration.pool, release: release)
        files = DatasetFiles(directory: configuration.datasetsDirectory, release: release)
        flags = try FlagFile(path: configuration.flagsPath)
    }

    /// The current version of every dataset, by name.
    package func list() async throws -> [DatasetRecord] { try await catalog.reader.list() }

    /// The current version of one dataset.
    package func record(of name: String) async throws -> DatasetRecord {
        try await catalog.reader.record(of: name)
    }

    /// The CSV of a dataset, held against its checksum.
    package func data(of name: String) async throws -> [UInt8] {
        try files.read(try await record(of: name))
    }

    /// Takes a dataset; durable on return, and the same bytes twice are one dataset.
    ///
    /// Release 1 keeps one version and refuses other bytes; release 2 adds a version.
    package func register(_ name: String, csv: [UInt8]) async throws -> DatasetRecord {
        try DatasetRecord.check(name: name)
        guard !flags.isOn(FlagFile.readOnly) else {
            throw RegistryProblem(
                .unavailable, "the registry takes no datasets while its flag read-only is on")
        }
        let table = try CSVTable(parsing: csv)
        let checksum = Checksum.sha256(csv)
        let present = try await presentRecord(of: name)
        if let present, present.sha256 == checksum { return present }
        guard present == nil || release.schema >= 2 else {
            throw RegistryProblem(
                .conflict,
                "dataset \(name) exists with other contents, "
                    + "and release \(release.version) keeps one version")
        }
        let version = (present?.version ?? 0) + 1
        let record = DatasetRecord(
            name: name, version: version, path: files.path(of: name, version: version),
            rows: table.rows.count, sha256: checksum)
        try files.write(csv, for: record)
        try await catalog.writer.insert(record)
        return record
    }

    /// The features of a dataset as one line of JSON; from the cache when they are there.
    package func features(of name: String) async throws -> String {
        let record = try await record(of: name)
        let vectorized = release.schema >= 2 && flags.isOn(FlagFile.vectorizedFeatures)
        let engine = release.engine
        let cached = try await catalog.reader.cachedReport(
            of: record, engine: engine.name, vectorized: vectorized)
        if let cached { return cached }
        let table = try CSVTable(parsing: files.read(record))
        let report = try CanonicalJSON.line(
            engine.features(of: table, vectorized: vectorized))
        try await catalog.writer.cache(
            report, of: record, engine: engine.name, vectorized: vectorized)
        return report
    }

    /// Looks at everything the service needs, as it is now.
    package func health() async -> Health {
        var checks: [Health.Check] = []
        var schema: Int?
        do {
            let found = try await catalog.reader.schema()
            schema = found
            checks.append(
                found == release.schema
                    ? .passed("catalog", "schema \(found)")
                    : .failed("catalog", "schema \(found), expected \(release.schema)"))
        } catch {
            checks.append(.failed("catalog", "\(error)"))
        }
        checks.append(await datasetsCheck())
        let reading = flags.reading()
        checks.append(
            reading.problem.map { .failed("flags", $0) }
                ?? .passed("flags", "\(reading.values.count) flags"))
        checks.append(configurationCheck())
        return Health(
            version: release.version, schema: schema, flags: reading.values, checks: checks)
    }

    /// Reads every dataset back and holds it against catalog and manifest; throws at the first
    /// that is not whole, gives the number of datasets.
    package func checkDatasets() async throws -> Int {
        let records = try await list()
        for record in records { try files.check(record) }
        return records.count
    }

    /// Moves the files of all datasets into the layout of release 2; gives what was done.
    package func migrateDatasets() async throws -> [(String, DatasetMigration.Outcome)] {
        guard release.schema >= 2 else {
            throw RegistryProblem(
                .invalid,
                "release \(release.version) has one file a dataset: run the migration of release 2")
        }
        let migration = DatasetMigration(into: files)
        return try await list().map { ($0.name, try migration.migrate($0)) }
    }

    private func presentRecord(of name: String) async throws -> DatasetRecord? {
        do {
            return try await record(of: name)
        } catch let problem as RegistryProblem where problem.kind == .notFound {
            return nil
        }
    }

    private func datasetsCheck() async -> Health.Check {
        do {
            let records = try await catalog.reader.list()
            for record in records { _ = try files.read(record) }
            return .passed("datasets", "\(records.count) datasets")
        } catch {
            return .failed("datasets", "\(error)")
        }
    }

    /// The file on disk must still be one that this release would start with.
    private func configurationCheck() -> Health.Check {
        guard let path = configuration.file else { return .passed("configuration", "given") }
        do {
            _ = try Configuration.read(from: path, for: release)
            return .passed("configuration", "valid")
        } catch {
            return .failed("configuration", "\(error)")
        }
    }
}
