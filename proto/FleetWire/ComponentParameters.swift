/// The parameters of the drivers that are more than a list of paths.

/// One Debian package: its version and selection (`install`, `hold`).
package struct PackageComponent: Codable, Sendable, Hashable {
    /// The package's name, `NAME` or `NAME:ARCHITECTURE`.
    package var name: String
    /// True: the package file itself is kept in the point, so that no repository is needed.
    package var keep: Bool
    /// One line of sources.list(5) to install from beside what the host knows.
    package var repository: String?
    /// Bounds each run of apt or dpkg; 10 minutes if nil.
    package var timeout: Milliseconds?
    /// A component of these fields.
    package init(
        name: String, keep: Bool = false, repository: String? = nil, timeout: Milliseconds? = nil
    ) {
        self.name = name
        self.keep = keep
        self.repository = repository
        self.timeout = timeout
    }
}

/// One PostgreSQL database of a running server. No password stands here: `passfile` names the file.
package struct PostgresComponent: Codable, Sendable, Hashable {
    /// The database's name.
    package var database: String
    /// The server's name, or the directory of its Unix socket; libpq's default if nil.
    package var host: String?
    /// Its port; libpq's default if nil.
    package var port: Int?
    /// The role that dumps and restores; it must own the database and may create databases.
    package var user: String?
    /// A file as libpq's PGPASSFILE.
    package var passfile: String?
    /// The section of the connection service file to take the rest from, as libpq's PGSERVICE.
    package var service: String?
    /// The account of the host that the programs run as, for peer authentication; the agent's own
    /// if nil.
    package var account: String?
    /// The directory of `pg_dump`, `pg_restore` and `psql`; they are looked for in PATH if nil.
    package var programs: String?
    /// Bounds each run of these; 30 minutes if nil.
    package var timeout: Milliseconds?
    /// A component of these fields.
    package init(
        database: String, host: String? = nil, port: Int? = nil, user: String? = nil,
        passfile: String? = nil, service: String? = nil, account: String? = nil,
        programs: String? = nil, timeout: Milliseconds? = nil
    ) {
        self.database = database
        self.host = host
        self.port = port
        self.user = user
        self.passfile = passfile
        self.service = service
        self.account = account
        self.programs = programs
        self.timeout = timeout
    }
}

/// One btrfs subvolume, kept as a read-only snapshot on its own file system.
package struct BtrfsComponent: Codable, Sendable, Hashable {
    /// The subvolume's root.
    package var path: String
    /// True puts it in the scope `data`.
    package var data: Bool
    /// A component of these fields.
    package init(path: String, data: Bool = false) {
        self.path = path
        self.data = data
    }
}

/// State that the operator's own programs capture and restore.
package struct CommandComponent: Codable, Sendable, Hashable {
    /// Writes the state to its standard output and exits 0; exits 3 if there is nothing to
    /// capture. The same state must give the same bytes. argv.
    package var capture: [String]
    /// Gets on its standard input what `capture` wrote, and makes it the state again; argv.
    package var restore: [String]
    /// Exits 0 if the state is sound; run after a capture and after a restore; argv.
    package var verify: [String]?
    /// Makes that there is nothing, where `capture` exited 3; argv.
    package var remove: [String]?
    /// Added to the programs' environment.
    package var env: [String: String]
    /// Bounds each run; 10 minutes if nil.
    package var timeout: Milliseconds?
    /// Bytes that `capture` may write; 16 GiB if nil.
    package var bytesMax: ByteCount?
    /// True puts it in the scope `data`.
    package var data: Bool
    /// A component of these fields.
    package init(
        capture: [String], restore: [String], verify: [String]? = nil, remove: [String]? = nil,
        env: [String: String] = [:], timeout: Milliseconds? = nil, bytesMax: ByteCount? = nil,
        data: Bool = false
    ) {
        self.capture = capture
        self.restore = restore
        self.verify = verify
        self.remove = remove
        self.env = env
        self.timeout = timeout
        self.bytesMax = bytesMax
        self.data = data
    }
}
