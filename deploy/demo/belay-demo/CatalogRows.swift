import SQLiteFile

/// Rows of a host's catalog, read by the demo itself.
enum CatalogRows {
    /// The schema and, by name, the checksum that the catalog has of each dataset.
    static func read(_ path: String) throws -> (schema: Int, checksums: [String: String]) {
        let connection = try SQLiteConnection(path: path, mode: .readWrite)
        let schema = try connection.userVersion()
        let rows = try connection.query(
            schema == 1
                ? "SELECT name, sha256 FROM dataset"
                : "SELECT name, sha256 FROM dataset_version WHERE version = 1")
        var checksums: [String: String] = [:]
        for row in rows { checksums[row[0].text ?? ""] = row[1].text }
        return (schema, checksums)
    }
}
