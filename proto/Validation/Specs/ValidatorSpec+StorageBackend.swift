import FleetWire

extension ValidatorSpec {
    /// A database that takes writes.
    package static let storageBackend = ValidatorSpec(
        id: "storage_backend", category: .storage,
        summary: "A database can be connected to, written, read back and cleaned.",
        isReadOnly: false,
        parameters: [
            .optional("sqlite", .path, "A SQLite database, which must be there."),
            .optional(
                "postgres",
                .object(
                    [
                        .optional(
                            "host", .text, standard: .text("/var/run/postgresql"),
                            "Name, address, or folder of the socket."),
                        .optional("port", .port, standard: .whole(5432), "The port."),
                        .required("database", .text, "The database."),
                        .required("user", .text, "The user."),
                        .optional("password_file", .path, "A password file of libpq (.pgpass)."),
                    ], what: "a server"),
                "A database of PostgreSQL, asked by its program psql."),
            .optional(
                "redis",
                .object(
                    [
                        .optional("host", .text, standard: .text("127.0.0.1"), "Name or address."),
                        .optional("port", .port, standard: .whole(6379), "The port."),
                        .optional(
                            "database", .integer(0...65535), standard: .whole(0), "Its number."),
                        .optional("user", .text, "The user, if not the default one."),
                        .optional("password_file", .path, "A file that holds the password alone."),
                    ], what: "a server"),
                "A database of Redis, without TLS."),
            .optional(
                "latency_warn", .duration(atLeast: 1), standard: .whole(1000), threshold: .warn,
                "It warns if all of it takes longer."),
            .optional(
                "latency_max", .duration(atLeast: 1), threshold: .fail,
                "It fails if all of it takes longer."),
        ],
        rules: [
            .exactlyOne(["sqlite", "postgres", "redis"], what: "a database"),
            .ascending("latency_warn", "latency_max"),
        ],
        notes: "SQLite: a table within a transaction that is rolled back. PostgreSQL: a temporary "
            + "table within one. Redis: a key of a random name that expires by itself within a "
            + "minute. So nothing stays, even if the agent is killed amid it. Unknown if another "
            + "process holds the database, psql is not there, or there is no answer in time.")
}
