import Foundation
import RegistryCore
import SQLiteFile
import Testing

@Suite("Registry") struct RegistryTests {
    private func fixtureWithColonies() async throws -> RegistryFixture {
        let fixture = try RegistryFixture()
        _ = try await fixture.registry("1.0.0").register(
            "colonies", csv: TestFolder.demo("datasets/colonies.csv"))
        return fixture
    }

    @Test("A registered dataset is listed, read back and healthy")
    func register() async throws {
        let fixture = try await fixtureWithColonies()
        let registry = try fixture.registry("1.0.0")
        #expect(try await registry.list().map(\.name) == ["colonies"])
        #expect(
            try await registry.data(of: "colonies") == TestFolder.demo("datasets/colonies.csv"))
        let health = await registry.health()
        #expect(health.isOK && health.schema == 1 && health.version == "1.0.0")
    }

    @Test("Release 1 refuses other contents under a name, and takes the same again")
    func conflict() async throws {
        let registry = try await fixtureWithColonies().registry("1.0.0")
        let same = try await registry.register(
            "colonies", csv: TestFolder.demo("datasets/colonies.csv"))
        #expect(same.version == 1)
        await #expect(throws: RegistryProblem.self) {
            try await registry.register("colonies", csv: Array("a\n1\n".utf8))
        }
    }

    @Test("Names that could leave the folder are refused", arguments: ["../x", "", "A", "a/b"])
    func names(name: String) async throws {
        let registry = try RegistryFixture().registry("1.0.0")
        await #expect(throws: RegistryProblem.self) {
            try await registry.register(name, csv: Array("a\n1\n".utf8))
        }
    }

    @Test("Each release refuses the other's schema and says what to do")
    func schemas() async throws {
        let fixture = try await fixtureWithColonies()
        try fixture.writeSettings("plans/settings-2.yaml")
        let early = try #require(fixture.refusal("2.0.0"))
        #expect(early.contains("schema 1") && early.contains("migrate the catalog"), "\(early)")
        try fixture.migrateCatalog()
        try fixture.writeSettings("host/registry-1.yaml")
        let late = try #require(fixture.refusal("1.0.0"))
        #expect(late.contains("schema 2") && late.contains("restore the catalog"), "\(late)")
    }

    @Test("Datasets move once, may be moved again, and are the same bytes")
    func migration() async throws {
        let fixture = try await fixtureWithColonies()
        try fixture.migrateCatalog()
        try fixture.writeSettings("plans/settings-2.yaml")
        let registry = try fixture.registry("2.0.0")
        #expect(await registry.health().isOK == false)
        #expect(try await registry.migrateDatasets().map(\.1) == [.moved])
        #expect(try await registry.migrateDatasets().map(\.1) == [.alreadyInPlace])
        #expect(try await registry.checkDatasets() == 1)
        #expect(!fixture.folder.holds("lib/datasets/colonies.csv"))
        #expect(
            try await registry.data(of: "colonies") == TestFolder.demo("datasets/colonies.csv"))
    }

    @Test("A damaged dataset stops its migration, and health says so")
    func damaged() async throws {
        let fixture = try await fixtureWithColonies()
        try fixture.folder.write("species\npuffin\n", to: "lib/datasets/colonies.csv")
        #expect(try await fixture.registry("1.0.0").health().isOK == false)
        try fixture.migrateCatalog()
        try fixture.writeSettings("plans/settings-2.yaml")
        await #expect(throws: RegistryProblem.self) {
            try await fixture.registry("2.0.0").migrateDatasets()
        }
        #expect(fixture.folder.holds("lib/datasets/colonies.csv"))
    }

    @Test("Release 2 keeps versions and a cache of features")
    func versions() async throws {
        let fixture = try RegistryFixture()
        try fixture.migrateCatalog()
        try fixture.writeSettings("plans/settings-2.yaml")
        let registry = try fixture.registry("2.0.0")
        _ = try await registry.register("t", csv: Array("a,b\n1,2\n3,4\n".utf8))
        let second = try await registry.register("t", csv: Array("a,b\n1,2\n3,5\n".utf8))
        #expect(second.version == 2 && second.path == "t/2/data.csv")
        let computed = try await registry.features(of: "t")
        #expect(try await registry.features(of: "t") == computed)
        let connection = try SQLiteConnection(path: fixture.database, mode: .readOnly)
        #expect(
            try connection.query("SELECT count(*) FROM feature_cache").first?.first == .integer(1))
    }

    @Test("A copy of the catalog is whole and has its schema")
    func backup() async throws {
        let fixture = try await fixtureWithColonies()
        let catalog = try Catalog(path: fixture.database, release: Release(version: "1.0.0"))
        let target = "\(fixture.folder.path)/copy.db"
        try await catalog.backup(to: target)
        try await catalog.backup(to: target)
        let copy = try SQLiteConnection(path: target, mode: .readWrite)
        #expect(try copy.userVersion() == 1)
        #expect(try copy.query("SELECT name FROM dataset") == [[.text("colonies")]])
    }
}
