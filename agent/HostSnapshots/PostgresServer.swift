import FleetWire
import Glibc
import HostProcesses

/// psql, pg_dump and pg_restore against one server. Passwords stand in the file that PGPASSFILE
/// names, never in arguments, environment or errors.
struct PostgresServer {
    let component: PostgresComponent
    let store: StoreFiles
    private let programs: DriverPrograms

    /// What pg_restore makes of an archive.
    enum Form {
        /// As SQL for psql, the database itself included.
        case whole
        /// The same without the database itself.
        case contents
        /// Its table of contents, the database itself included.
        case list
    }

    init(
        _ component: PostgresComponent, _ host: DriverHost, attempt: String
    ) throws {
        let root = host.root.path
        self.component = component
        store = host.store
        var programs = DriverPrograms(
            attempt: attempt, subject: "database \(component.database)", root: root,
            timeout: component.timeout ?? .seconds(1800))
        programs.stop = host.stop
        // The account may not enter the directory that this process runs in.
        programs.directory = "/"
        var environment = ["PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "belay"]
        environment["PGHOST"] = component.host
        environment["PGPORT"] = component.port.map(String.init)
        environment["PGUSER"] = component.user
        environment["PGSERVICE"] = component.service
        environment["PGPASSFILE"] = try component.passfile.map { path in
            do {
                return try HostPath.below(root, path)
            } catch { throw PointError("read", path, "\(error)", "correct the plan") }
        }
        programs.environment = environment
        self.programs = programs
    }

    /// The server sees the account. What only reads an archive needs none, and may enter the store.
    private func argv(
        _ program: String, _ arguments: [String], asksServer: Bool = true
    ) -> [String] {
        let path = component.programs.map { "\($0)/\(program)" } ?? program
        guard asksServer, geteuid() == 0, let account = component.account else {
            return [path] + arguments
        }
        return ["runuser", "-u", account, "--", path] + arguments
    }

    func failure(_ cause: String, _ remedy: String? = nil) -> PointError {
        programs.failure(cause, nil, remedy)
    }

    // MARK: - Asking

    /// The database to connect to for what concerns whole databases.
    private var maintenance: String { component.database == "postgres" ? "template1" : "postgres" }

    /// Runs a psql script; `variables` stand in it as `:'name'` or `:"name"`. Gives the rows, their
    /// columns between bars.
    @discardableResult
    func sql(
        _ script: String, _ variables: [String: String] = [:], remedy: String? = nil
    ) throws -> [String] {
        let file = try ScratchFile("sql", store)
        try Array(script.utf8).withUnsafeBytes { try file.file.write($0, Array(file.path.utf8)) }
        try file.rewind()
        let set = variables.sorted { $0.key < $1.key }.flatMap { ["-v", "\($0.key)=\($0.value)"] }
        return try programs.succeed(
            argv(
                "psql",
                ["-XAtqw", "-v", "ON_ERROR_STOP=1"] + set + ["-d", maintenance, "-f", "-"]),
            input: file.file, remedy: remedy
        ).split(separator: "\n").map(String.init)
    }

    func exists(_ database: String) throws -> Bool {
        try !sql(
            "SELECT 'found' FROM pg_database WHERE datname = :'db';", ["db": database],
            remedy: "start the server, and let the plan name host, port and user as psql needs them"
        ).isEmpty
    }

    /// The bytes that the server says it takes; 0 if it is not there.
    func size(_ database: String) throws -> UInt64 {
        let rows = try sql(
            "SELECT pg_database_size(oid) FROM pg_database WHERE datname = :'db';",
            ["db": database])
        return rows.first.flatMap(UInt64.init) ?? 0
    }

    // MARK: - Dumping and restoring

    /// The archive of a database, as of one moment. It is not compressed: the store does that, and
    /// finds what has not changed.
    func dump(_ database: String) throws -> ScratchFile {
        let archive = try ScratchFile("dump", store)
        try programs.succeed(
            argv(
                "pg_dump",
                [
                    "--format=custom", "--compress=0", "--no-password", "--dbname",
                    Self.connection(database),
                ]),
            output: archive.file,
            remedy: "run pg_dump by hand as the same user and see why")
        return archive
    }

    /// What an archive says in another form.
    func text(_ archive: ScratchFile, _ form: Form, only list: String? = nil) throws -> ScratchFile
    {
        let text = try ScratchFile("text", store)
        var arguments: [String]
        switch form {
        case .whole: arguments = ["--create", "--file=-"]
        case .contents: arguments = ["--file=-"]
        case .list: arguments = ["--list", "--create"]
        }
        if let list { arguments.append("--use-list=\(list)") }
        try archive.rewind()
        try programs.succeed(
            argv("pg_restore", arguments, asksServer: false), input: archive.file,
            output: text.file)
        return text
    }

    /// Fills an empty database from an archive, all or nothing.
    func restore(_ archive: ScratchFile, into database: String) throws {
        try archive.rewind()
        try programs.succeed(
            argv(
                "pg_restore",
                [
                    "--no-password", "--exit-on-error", "--single-transaction", "--dbname",
                    Self.connection(database),
                ]),
            input: archive.file,
            remedy:
                "the old database is untouched; make the roles that it names, then restore again")
    }

    /// A name that libpq does not take apart as a connection string: postgresql.org/docs, 34.1.1.
    private static func connection(_ database: String) -> String {
        var quoted = ""
        for character in database {
            if character == "'" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return "dbname='\(quoted)'"
    }
}
