/// The keys of the drivers that are more than a list of paths (docs/reference/plan.md).
extension PlanShape {
    private typealias Field = ObjectShape.Field

    static let package = ObjectShape(
        what: "the driver `package`",
        fields: [
            Field("name", .text, required: true, "The package, NAME or NAME:ARCHITECTURE."),
            Field("keep", .boolean, "True: the package file is kept in the point."),
            Field(
                "repository", .text,
                "One line of sources.list(5) to install from, beside what the host knows."),
            Field("timeout", .span(atLeast: 1000), "For each run of apt or dpkg; default 10m."),
        ])

    static let postgres = ObjectShape(
        what: "the driver `postgres`",
        fields: [
            Field("database", .text, required: true, "The database's name."),
            Field("host", .text, "The server, or the directory of its Unix socket."),
            Field("port", .integer(1...65_535), "Its port."),
            Field("user", .text, "The role that dumps and restores."),
            Field("passfile", .text, "A file of passwords, as libpq's PGPASSFILE."),
            Field("service", .text, "A section of libpq's connection service file."),
            Field("account", .text, "The account of the host that the programs run as."),
            Field("programs", .text, "The directory of pg_dump, pg_restore and psql."),
            Field("timeout", .span(atLeast: 1000), "For each run of these; default 30m."),
        ])

    static let btrfs = ObjectShape(
        what: "the driver `btrfs`",
        fields: [
            Field("path", .text, required: true, "The subvolume."),
            Field("data", .boolean, "True: belongs to the scope `data`."),
        ])

    static let command = ObjectShape(
        what: "the driver `command`",
        fields: [
            Field(
                "capture", .list(.text), required: true,
                "Writes the state to its standard output; exit 3: nothing there."),
            Field(
                "restore", .list(.text), required: true,
                "Gets on its standard input what capture wrote."),
            Field("verify", .list(.text), "Exits 0 if the state is sound."),
            Field("remove", .list(.text), "Makes that there is nothing."),
            Field("env", .names(.text, what: "variables to text"), "Added to the environment."),
            Field("timeout", .span(atLeast: 1000), "For each run of these; default 10m."),
            Field("bytes_max", .size, "What capture may write; default 16GiB."),
            Field("data", .boolean, "True: belongs to the scope `data`."),
        ])
}
