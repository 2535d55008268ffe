import FleetWire

extension ValidatorSpec {
    /// Certificates, and connection strings that ask for them.
    package static let tlsCertificate = ValidatorSpec(
        id: "tls_certificate", category: .security,
        summary: "A certificate is trusted, for the right name, and good for long enough; a "
            + "connection string asks for TLS.",
        parameters: [
            .optional("host", .text, "Name or address of a server that speaks TLS."),
            .optional("port", .port, standard: .whole(443), "Its port."),
            .optional(
                "protocol", .word(["tls", "postgres"]), standard: .text("tls"),
                "`tls` for HTTPS, Redis and all that begin with it; `postgres` asks for it first."),
            .optional("file", .path, "A file of certificates (PEM), the server's own first."),
            .optional("connection", .text, "A connection string; it is never shown."),
            .optional(
                "connection_file", .path, "A file that holds it alone, or lines `NAME=VALUE`."),
            .optional("variable", .text, "The name in that file whose value it is."),
            .optional(
                "name", .text, "The name that the certificate must be for; `host` unless given."),
            .optional(
                "authorities", .path,
                "Certificates to trust, a file or folder; those of the system unless given."),
            .optional(
                "days_warn", .integer(0...36500), standard: .whole(30), threshold: .warn,
                "It warns if a certificate expires within so many days."),
            .optional(
                "days_min", .integer(0...36500), standard: .whole(7), threshold: .fail,
                "It fails if a certificate expires within so many days."),
        ],
        rules: [
            .exactlyOne(
                ["host", "file", "connection", "connection_file"], what: "something to look at"),
            .ascending("days_min", "days_warn"),
        ],
        notes: "Of a connection string `sslmode` must be `verify-ca` or `verify-full`; `require`, "
            + "which trusts anybody, warns, and anything less fails; `rediss:` passes and `redis:` "
            + "fails. A file is held against authorities only if they are given. Unknown if there "
            + "are no authorities, or nobody answers in time.")
}
