import Foundation
import RegistryCore
import SQLiteFile

/// A host's files for one test, first as release 1 has them.
struct RegistryFixture {
    let folder: TestFolder

    static let flags = """
        {"flags": {"vectorized-features":
          {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}}}
        """

    init() throws {
        folder = try TestFolder()
        try folder.write(Self.flags, to: "etc/flags.json")
        try folder.write("", to: "lib/datasets/.keep")
        try writeSettings("host/registry-1.yaml")
        try Catalog.create(path: database)
    }

    var database: String { "\(folder.path)/lib/catalog.db" }
    private var settings: String { "\(folder.path)/etc/registry.yaml" }

    /// Writes a configuration of the demo, with paths of this fixture.
    func writeSettings(_ source: String) throws {
        let text = String(decoding: try TestFolder.demo(source), as: UTF8.self)
            .replacingOccurrences(of: "{{ labels.port }}", with: "0")
            .replacingOccurrences(of: "../../var/lib/registry", with: "../lib")
        try folder.write(text, to: "etc/registry.yaml")
    }

    /// Takes the catalog to schema 2 with the plan's own SQL.
    func migrateCatalog() throws {
        let sql = String(decoding: try TestFolder.demo("plans/catalog-2.sql"), as: UTF8.self)
        let connection = try SQLiteConnection(path: database, mode: .readWrite)
        try connection.transaction {
            try connection.run(script: sql)
            try connection.run(script: "PRAGMA user_version = 2")
        }
    }

    /// The registry as a release opens it.
    func registry(_ version: String) throws -> Registry {
        let release = try Release(version: version)
        return try Registry(
            configuration: Configuration.read(from: settings, for: release), release: release)
    }

    /// What a release says when it cannot open the registry.
    func refusal(_ version: String) -> String? {
        do {
            _ = try registry(version)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
