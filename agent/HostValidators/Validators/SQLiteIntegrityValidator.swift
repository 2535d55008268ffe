import FleetWire
import Glibc
import HostProcesses
import SQLiteFile
import Validation

/// The check `sqlite_integrity`; opens read-only.
struct SQLiteIntegrityValidator: Validator {
    let spec = ValidatorSpec.sqliteIntegrity

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        let path = parameters["path"]
        let asked = SQLiteIntegrityCheck(path: path, userVersion: parameters.whole("user_version"))
        return await context.blocking { _ in
            DatabaseCheck.run(asked, at: path, until: context.deadline)
        }
    }
}

/// One look at a database.
enum DatabaseCheck {
    static func run(
        _ spec: SQLiteIntegrityCheck, at path: String, until deadline: ContinuousClock.Instant
    ) -> Finding {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            return code == ENOENT || code == ENOTDIR
                ? .fail("\(path) is missing", "restore the database from a rollback point")
                : .unknown("\(path): \(errorText(code))", "check owner and permissions")
        }
        do throws(SQLiteError) {
            // Half of the time is for other processes to let go of it.
            let busy = Milliseconds(since: deadline).count / -2
            let database = try SQLiteConnection(
                path: path, mode: .readOnly, busyMilliseconds: max(1, Int32(clamping: busy)))
            let (problems, version) = try database.until(deadline) { () throws(SQLiteError) in
                (try database.problems(), try database.userVersion())
            }
            return judge(spec, problems, version)
        } catch {
            return error.isCorrupt
                ? .fail(error.description, "restore the database from a rollback point")
                : .unknown(error.description, "try again once no other process holds it")
        }
    }

    private static func judge(
        _ spec: SQLiteIntegrityCheck, _ problems: [String], _ version: Int
    ) -> Finding {
        guard problems.isEmpty else {
            return .fail(
                "\(problems.count) problems: " + problems.prefix(3).joined(separator: "; "),
                "restore the database from a rollback point")
        }
        guard let wanted = spec.userVersion else {
            return .pass("integrity ok, foreign keys ok, user_version \(version)")
        }
        let measured = "integrity ok, foreign keys ok, user_version \(version), \(wanted) wanted"
        return version == wanted
            ? .pass(measured) : .fail(measured, "look whether its migration ran")
    }
}
