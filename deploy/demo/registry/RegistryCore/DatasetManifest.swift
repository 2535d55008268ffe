import FoundationEssentials

/// `manifest.json` in the folder of a dataset, as release 2 writes it.
package struct DatasetManifest: Codable, Sendable, Equatable {
    /// One version of the dataset.
    package struct Version: Codable, Sendable, Equatable {
        /// The number of the version, from 1.
        package var version: Int
        /// The CSV file, relative to the folder of the dataset.
        package var path: String
        /// How many rows it has, without the header.
        package var rows: Int
        /// The SHA-256 of the CSV file.
        package var sha256: String
    }

    /// The version of this format; 2.
    package var format = 2
    /// The name of the dataset.
    package var name: String
    /// All versions, oldest first.
    package var versions: [Version]

    /// Reads a manifest; nil when there is none.
    static func read(_ path: String) throws(RegistryProblem) -> DatasetManifest? {
        guard DurableFile.exists(path) else { return nil }
        let bytes = try DurableFile.read(path)
        do {
            return try JSONDecoder().decode(DatasetManifest.self, from: Data(bytes))
        } catch {
            throw RegistryProblem(.corrupt, "manifest \(path) cannot be read: \(error)")
        }
    }

    /// Writes the manifest so that it is whole or not there.
    func write(to path: String) throws {
        try DurableFile.write(Array(CanonicalJSON.pretty(self).utf8), to: path)
    }
}
