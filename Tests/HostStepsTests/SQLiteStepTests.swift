import FleetWire
import SQLiteFile
import Testing

@Suite struct SQLiteStepTests {
    private func step(_ migrations: (Int, String)...) -> StepAction {
        .sqlite(
            SQLiteStep(
                path: "/etc/a.db",
                migrations: migrations.map { SQLiteStep.Migration(version: $0.0, sql: $0.1) }))
    }

    private func database(_ root: StepRoot) throws -> SQLiteConnection {
        let database = try SQLiteConnection(path: root.path + "/etc/a.db")
        try database.run(
            script: "CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1)")
        return database
    }

    @Test func migrationsRunInOrderAndOnce() async throws {
        let root = try StepRoot()
        let database = try database(root)
        let action = step(
            (1, "ALTER TABLE t ADD y; UPDATE t SET y = 'BEGIN; COMMIT'"),
            (3, "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET y = 1; END; -- COMMIT"))
        #expect(try await root.inspect(action).detail == "user_version 0 -> 3")
        #expect(try await root.run(action).status == .done)
        #expect(try database.userVersion() == 3)
        #expect(try database.query("SELECT y FROM t") == [[.text("BEGIN; COMMIT")]])
        let again = try await root.run(action)
        #expect(again.status == .done && again.message.hasSuffix("nothing to do"))
        #expect(try await root.inspect(action).action == "none")
    }

    @Test func aFailedMigrationLeavesTheVersionBeforeIt() async throws {
        let root = try StepRoot()
        let database = try database(root)
        let broken = try await root.run(
            step(
                (1, "ALTER TABLE t ADD y"), (2, "ALTER TABLE t ADD z; INSERT INTO nope VALUES (1)"))
        )
        #expect(broken.status == .failed)
        #expect(
            broken.message.contains("version 2 failed: no such table: nope"), "\(broken.message)")
        #expect(try database.userVersion() == 1)
        #expect(throws: SQLiteError.self) { try database.query("SELECT z FROM t") }
        #expect(try await root.run(step((1, ""), (2, "ALTER TABLE t ADD z"))).status == .done)
        #expect(try database.userVersion() == 2)
    }

    @Test(arguments: [
        "BEGIN; DROP TABLE t", "drop table t; commit", "/* x */ ROLLBACK", "END",
        "ATTACH 'x.db' AS x", "SELECT 1; -- x\n COMMIT", "SAVEPOINT a",
    ])
    func statementsThatLeaveTheTransactionAreRefused(_ sql: String) async throws {
        let root = try StepRoot()
        let database = try database(root)
        #expect(try await root.run(step((1, sql))).status == .failed)
        #expect(try database.query("SELECT x FROM t") == [[.integer(1)]])
        #expect(try database.userVersion() == 0)
    }

    @Test func aMissingDatabaseAndABadOrderFail() async throws {
        let root = try StepRoot()
        #expect(try await root.run(step((1, ""))).message.contains("is missing"))
        #expect(try root.names("/etc").isEmpty)
        _ = try database(root)
        #expect(try await root.run(step((2, ""), (1, ""))).status == .failed)
        try root.write("/etc/a.db", String(repeating: "no database ", count: 100))
        #expect(try await root.run(step((1, ""))).status == .failed)
    }

    @Test func aLockedDatabaseAndAnEndlessMigrationTimeOut() async throws {
        let root = try StepRoot()
        let database = try database(root)
        let endless = """
            WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)
            INSERT INTO t SELECT max(n) FROM c
            """
        let late = try await root.run(step((1, endless)), timeout: Milliseconds(300))
        #expect(late.status == .timedOut, "\(late.message)")
        #expect(try database.userVersion() == 0)
        try database.run(script: "BEGIN IMMEDIATE")
        let locked = try await root.run(step((1, "DELETE FROM t")), timeout: Milliseconds(200))
        #expect(locked.status == .timedOut, "\(locked.message)")
        try database.run(script: "ROLLBACK")
        #expect(try await root.run(step((1, "DELETE FROM t"))).status == .done)
    }
}
