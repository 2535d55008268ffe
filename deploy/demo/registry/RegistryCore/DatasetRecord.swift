/// What the catalog knows of a dataset's current version.
package struct DatasetRecord: Codable, Sendable, Equatable {
    /// The name: lower-case letters, digits, `-` and `_`.
    package var name: String
    /// The version, from 1; always 1 in schema 1.
    package var version: Int
    /// The CSV file, relative to the folder of datasets.
    package var path: String
    /// How many rows it has, without the header.
    package var rows: Int
    /// The SHA-256 of the CSV file.
    package var sha256: String

    /// A record of its parts.
    package init(name: String, version: Int, path: String, rows: Int, sha256: String) {
        self.name = name
        self.version = version
        self.path = path
        self.rows = rows
        self.sha256 = sha256
    }

    /// Refuses names that could leave the folder of datasets or collide with its other files.
    package static func check(name: String) throws(RegistryProblem) {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard allowed, (1...64).contains(name.utf8.count) else {
            throw RegistryProblem(
                .invalid,
                "dataset name \"\(name)\" refused: "
                    + "1 to 64 lower-case letters, digits, - and _ are taken")
        }
    }
}
