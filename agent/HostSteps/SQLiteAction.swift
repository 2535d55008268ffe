import FleetWire
import Glibc
import HostProcesses
import SQLiteFile

/// The step `sqlite`.
struct SQLiteAction: Sendable {
    /// How long one look waits for a lock.
    private static let lookMilliseconds: Int32 = 200

    let place: StepPlace

    /// The migrations that are still to run, and the present version.
    func pending(
        _ action: SQLiteStep
    ) throws(StepFailure) -> (path: String, version: Int, migrations: [SQLiteStep.Migration]) {
        let path = try place.path(action.path)
        var last = 0
        for migration in action.migrations {
            guard migration.version > last else {
                throw StepFailure(
                    "migrations must ascend from 1; \(migration.version) comes after \(last)")
            }
            last = migration.version
            if let word = MigrationScript.refused(in: migration.sql) {
                throw StepFailure(
                    "the migration to version \(last) holds \(word); take it out: each migration "
                        + "runs in one transaction of its own")
            }
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StepFailure("\(path) is missing; create the database before it is migrated")
        }
        do throws(SQLiteError) {
            let version = try SQLiteConnection(path: path, mode: .readOnly).userVersion()
            return (path, version, action.migrations.filter { $0.version > version })
        } catch {
            throw StepFailure(error.description)
        }
    }

    func run(
        _ action: SQLiteStep, within limit: WorkLimit
    ) throws(StepFailure) -> String {
        let (path, first, migrations) = try pending(action)
        guard let target = migrations.last?.version else {
            return "\(path) is at version \(first) already: nothing to do"
        }
        let database: SQLiteConnection
        do throws(SQLiteError) {
            database = try SQLiteConnection(
                path: path, mode: .readWrite, busyMilliseconds: Self.lookMilliseconds)
        } catch {
            throw StepFailure(error.description)
        }
        var version = first
        for migration in migrations {
            do {
                try database.until(limit.deadline, or: { limit.cancellation.isCancelled }) {
                    try apply(migration, to: database, within: limit)
                }
            } catch {
                throw failure(error, migration.version, path: path, at: version)
            }
            version = migration.version
        }
        return "\(path) was migrated from version \(first) to \(target)"
    }

    /// Waits for other processes' locks in short looks, so that it can be cancelled.
    private func apply(
        _ migration: SQLiteStep.Migration, to database: SQLiteConnection, within limit: WorkLimit
    ) throws {
        while true {
            do {
                try database.transaction {
                    // Another process may have migrated it since it was looked at.
                    guard try database.userVersion() < migration.version else { return }
                    try database.run(script: migration.sql)
                    try database.run(script: "PRAGMA user_version=\(migration.version)")
                }
                return
            } catch let error as SQLiteError where error.isBusy && !limit.isOver {
                continue
            }
        }
    }

    private func failure(
        _ error: any Error, _ target: Int, path: String, at version: Int
    ) -> StepFailure {
        let cause = error as? SQLiteError
        let why = cause.map { "\($0.message) (SQLite \($0.code))" } ?? "\(error)"
        var failure = StepFailure(
            "\(path): the migration to version \(target) failed: \(why); "
                + "the database stays at version \(version)")
        failure.isLate = cause?.isInterrupted == true || cause?.isBusy == true
        return failure
    }
}
