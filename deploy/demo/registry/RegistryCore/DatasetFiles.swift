import FoundationEssentials

/// The datasets on disk, in the layout of one release.
///
/// Release 1: `NAME.csv`. Release 2: `NAME/VERSION/data.csv` and `NAME/manifest.json`.
package struct DatasetFiles: Sendable {
    /// The folder of all datasets.
    package let directory: String
    /// Whether the layout is that of release 2.
    package let isVersioned: Bool

    /// The datasets of a configuration.
    package init(directory: String, release: Release) {
        self.directory = directory
        self.isVersioned = release.schema >= 2
    }

    /// Where a version of a dataset belongs, relative to the folder of datasets.
    package func path(of name: String, version: Int) -> String {
        isVersioned ? "\(name)/\(version)/data.csv" : "\(name).csv"
    }

    /// The bytes of a dataset, held against the checksum of its record.
    package func read(_ record: DatasetRecord) throws(RegistryProblem) -> [UInt8] {
        let bytes = try DurableFile.read("\(directory)/\(record.path)")
        let found = Checksum.sha256(bytes)
        guard found == record.sha256 else {
            throw RegistryProblem(
                .corrupt,
                "dataset \(record.name): \(directory)/\(record.path) has SHA-256 \(found), "
                    + "the catalog says \(record.sha256); restore the file")
        }
        return bytes
    }

    /// Writes a dataset where its record says, and its manifest; durable on return.
    package func write(_ bytes: [UInt8], for record: DatasetRecord) throws {
        let destination = "\(directory)/\(record.path)"
        try DurableFile.makeDirectory(
            URL(fileURLWithPath: destination).deletingLastPathComponent().path)
        try DurableFile.write(bytes, to: destination)
        guard isVersioned else { return }
        try addToManifest(record)
    }

    /// Adds a version to the manifest of its dataset, once.
    func addToManifest(_ record: DatasetRecord) throws {
        let path = manifestPath(of: record.name)
        var manifest =
            try DatasetManifest.read(path) ?? DatasetManifest(name: record.name, versions: [])
        let entry = DatasetManifest.Version(
            version: record.version, path: "\(record.version)/data.csv", rows: record.rows,
            sha256: record.sha256)
        guard !manifest.versions.contains(entry) else { return }
        manifest.versions.removeAll { $0.version == record.version }
        manifest.versions.append(entry)
        manifest.versions.sort { $0.version < $1.version }
        try manifest.write(to: path)
    }

    /// Checks a dataset: checksum, rows and, in the layout of release 2, the manifest.
    package func check(_ record: DatasetRecord) throws {
        let table = try CSVTable(parsing: read(record))
        guard table.rows.count == record.rows else {
            throw RegistryProblem(
                .corrupt,
                "dataset \(record.name) has \(table.rows.count) rows, "
                    + "the catalog says \(record.rows)")
        }
        guard isVersioned else { return }
        let path = manifestPath(of: record.name)
        let listed = try DatasetManifest.read(path)?.versions.first {
            $0.version == record.version
        }
        guard let listed, listed.sha256 == record.sha256, listed.rows == record.rows else {
            throw RegistryProblem(
                .corrupt, "manifest \(path) does not list version \(record.version) as it is")
        }
    }

    private func manifestPath(of name: String) -> String {
        "\(directory)/\(name)/manifest.json"
    }
}
