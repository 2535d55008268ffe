import SQLiteFile

/// The catalog of datasets in SQLite: what each dataset is called, where it lies, what it must be.
package actor Catalog {
    private let connection: SQLiteConnection
    private let release: Release

    /// Opens a catalog; refuses one whose schema is not the release's.
    package init(path: String, release: Release) throws {
        let connection = try SQLiteConnection(path: path, mode: .readWrite)
        let found = try connection.userVersion()
        guard found == release.schema else {
            throw RegistryProblem(.unavailable, Self.refusal(path, found, release))
        }
        try connection.makeDurable(cacheKiB: 256)
        self.connection = connection
        self.release = release
    }

    /// Makes an empty catalog at schema 1; refuses a database that has a schema already.
    package static func create(path: String) throws {
        let connection = try SQLiteConnection(path: path)
        let found = try connection.userVersion()
        guard found == 0 else {
            throw RegistryProblem(
                .conflict, "\(path) is a catalog already, at schema \(found); nothing was changed")
        }
        try connection.makeDurable()
        try connection.transaction { try connection.run(script: CatalogSchema.one) }
    }

    private static func refusal(_ path: String, _ found: Int, _ release: Release) -> String {
        let remedy =
            found > release.schema
            ? "start a newer release, or restore the catalog from before its migration"
            : "migrate the catalog to schema \(release.schema), or start an older release"
        return "catalog \(path) is at schema \(found), release \(release.version) works with "
            + "schema \(release.schema): \(remedy)"
    }

    /// `PRAGMA user_version`, read from the file now.
    package func schema() throws -> Int { try connection.userVersion() }

    /// Copies the catalog to a file, replacing an older copy only once the new one is whole.
    package func backup(to target: String) throws {
        let partial = target + ".partial"
        try DurableFile.remove(partial)
        try connection.backup(to: partial)
        let problems = try SQLiteConnection(path: partial, mode: .readOnly).problems()
        guard problems.isEmpty else {
            throw RegistryProblem(
                .corrupt, "the copy \(partial) is damaged: \(problems.joined(separator: "; "))")
        }
        try DurableFile.move(partial, to: target)
    }

    /// The current version of every dataset, by name.
    package func list() throws -> [DatasetRecord] {
        try connection.query(selection + " ORDER BY dataset.name").compactMap(Self.record)
    }

    /// The current version of a dataset; throws `notFound` when there is none of the name.
    package func record(of name: String) throws -> DatasetRecord {
        let rows = try connection.query(
            selection + " WHERE dataset.name = ?", [.text(name)])
        guard let record = rows.first.flatMap(Self.record) else {
            throw RegistryProblem(.notFound, "there is no dataset \(name)")
        }
        return record
    }

    /// Adds a record; durable on return. In schema 2 it becomes the current version.
    package func insert(_ record: DatasetRecord) throws {
        try connection.transaction {
            if release.schema == 1 {
                try connection.execute(
                    "INSERT INTO dataset (name, path, rows, sha256) VALUES (?, ?, ?, ?)",
                    [
                        .text(record.name), .text(record.path), .integer(Int64(record.rows)),
                        .text(record.sha256),
                    ])
                return
            }
            try connection.execute(
                "INSERT INTO dataset (name, current) VALUES (?, ?) "
                    + "ON CONFLICT (name) DO UPDATE SET current = excluded.current",
                [.text(record.name), .integer(Int64(record.version))])
            try connection.execute(
                "INSERT INTO dataset_version (name, version, path, rows, sha256) "
                    + "VALUES (?, ?, ?, ?, ?)",
                [
                    .text(record.name), .integer(Int64(record.version)), .text(record.path),
                    .integer(Int64(record.rows)), .text(record.sha256),
                ])
        }
    }

    /// A report that was computed before; nil in schema 1, which keeps none.
    package func cachedReport(
        of record: DatasetRecord, engine: String, vectorized: Bool
    ) throws -> String? {
        guard release.schema >= 2 else { return nil }
        return try connection.query(
            "SELECT report FROM feature_cache "
                + "WHERE sha256 = ? AND engine = ? AND vectorized = ?",
            [.text(record.sha256), .text(engine), .integer(vectorized ? 1 : 0)]
        ).first?.first?.text
    }

    /// Keeps a computed report; does nothing in schema 1.
    package func cache(
        _ report: String, of record: DatasetRecord, engine: String, vectorized: Bool
    ) throws {
        guard release.schema >= 2 else { return }
        try connection.execute(
            "INSERT OR REPLACE INTO feature_cache (sha256, engine, vectorized, report) "
                + "VALUES (?, ?, ?, ?)",
            [
                .text(record.sha256), .text(engine), .integer(vectorized ? 1 : 0), .text(report),
            ])
    }

    private var selection: String {
        release.schema == 1
            ? "SELECT name, 1, path, rows, sha256 FROM dataset"
            : "SELECT dataset.name, version, path, rows, sha256 FROM dataset "
                + "JOIN dataset_version ON dataset_version.name = dataset.name "
                + "AND dataset_version.version = dataset.current"
    }

    private static func record(_ row: [SQLiteValue]) -> DatasetRecord? {
        guard row.count == 5, let name = row[0].text, let version = row[1].integer,
            let path = row[2].text, let rows = row[3].integer, let sha256 = row[4].text
        else { return nil }
        return DatasetRecord(
            name: name, version: Int(version), path: path, rows: Int(rows), sha256: sha256)
    }
}
