import FleetWire
import Glibc

/// The driver `postgres`: one database as an archive of pg_dump. Its state is the archive's plain
/// form, so that a database that did not change has the same state.
struct PostgresDriver: ComponentDriving {
    let component: PostgresComponent
    let host: DriverHost
    let phase = RestorePhase.afterFiles
    let needsStop = true

    private static let absent = Array("absent".utf8)
    private static let attempts = 10

    func check() throws { _ = try server("capture").exists(component.database) }

    /// The archive, and its plain form while that is hashed, stand beside what is stored of them.
    func spaceNeeded() throws -> UInt64 { try server("capture").size(component.database) * 3 }

    func entries(into sink: any ObjectSink, point: PointID?) throws -> [Entry] {
        let server = try server(point == nil ? "look at" : "capture")
        var entry = Entry(kind: .stream, path: Array(component.database.utf8))
        guard try server.exists(component.database) else {
            entry.target = Self.absent
            return [entry]
        }
        let archive = try server.dump(component.database)
        entry.target = Array(
            "sha256:\(try PlainDump.digest(of: server.text(archive, .whole)).hex)".utf8)
        if point != nil { (entry.chunks, entry.size) = try archive.store(into: sink) }
        return [entry]
    }

    func checkRestore(to captured: [Entry]) throws {
        guard captured.count == 1, captured[0].kind == .stream else {
            throw PointError.damaged("database \(component.database)", "it holds no archive")
        }
        let server = try server("restore")
        let mayCreate = try server.sql(
            "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper);")
        guard !mayCreate.isEmpty || captured[0].target == Self.absent else {
            throw server.failure(
                "the role may not create databases", "ALTER ROLE … CREATEDB, or name another user")
        }
    }

    func restore(
        to captured: [Entry], from objects: ObjectReader, beforeChange: (String) throws -> Void
    ) throws {
        guard let entry = captured.first else { return }
        let server = try server("restore")
        try dropLeftovers(server, beforeChange)
        if entry.target == Self.absent {
            try beforeChange("drop database \(component.database)")
            try drop(component.database, server)
            return
        }
        let archive = try ScratchFile("dump", host.store)
        try archive.fill(with: entry, from: objects)
        let definition = try PlainDump.definition(archive, server, host.store)
        try beforeChange("create a database beside \(component.database)")
        try server.sql(
            "CREATE DATABASE :\"beside\" \(definition.options);", ["beside": beside])
        try beforeChange("fill the database beside \(component.database)")
        try server.restore(archive, into: beside)
        let wanted = try PlainDump.digest(of: server.text(archive, .contents))
        let made = try PlainDump.digest(of: server.text(server.dump(beside), .contents))
        guard wanted == made else {
            throw server.failure(
                "what was restored beside it is not what was captured",
                "the old database is untouched; report this with the server's version")
        }
        try beforeChange("exchange database \(component.database)")
        try exchange(server, definition.properties)
        try dropLeftovers(server, beforeChange)
    }

    func removeLeftovers(beforeChange: (String) throws -> Void) throws {
        try dropLeftovers(server("restore"), beforeChange)
    }

    /// One transaction: the old name is free, the new database has it, and what belongs to the
    /// database itself is set. Who is connected is disconnected first; who comes in between makes
    /// the transaction fail, and it is tried again.
    private func exchange(_ server: PostgresServer, _ properties: String) throws {
        let names = ["db": component.database, "beside": beside, "old": old]
        let isThere = try server.exists(component.database)
        let script = """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname IN (:'db', :'beside') AND pid <> pg_backend_pid();
            BEGIN;
            \(isThere ? "ALTER DATABASE :\"db\" RENAME TO :\"old\";" : "")
            ALTER DATABASE :"beside" RENAME TO :"db";
            \(properties)
            COMMIT;
            """
        for attempt in 1...Self.attempts {
            do {
                try server.sql(script, names, remedy: "stop what connects to it all the time")
                return
            } catch  where attempt < Self.attempts {
                continue
            }
        }
    }

    private func dropLeftovers(
        _ server: PostgresServer, _ beforeChange: (String) throws -> Void
    ) throws {
        for name in [beside, old] where try server.exists(name) {
            try beforeChange("drop what is beside database \(component.database)")
            try drop(name, server)
        }
    }

    private func drop(_ database: String, _ server: PostgresServer) throws {
        try server.sql("DROP DATABASE IF EXISTS :\"db\" WITH (FORCE);", ["db": database])
    }

    /// Names beside, the same in each run and within the 63 bytes of a name.
    private var beside: String { "belay~\(digits)~new" }
    private var old: String { "belay~\(digits)~old" }
    private var digits: Substring {
        ObjectID(hashing: Array(component.database.utf8)).digest.hex.prefix(16)
    }

    private func server(_ attempt: String) throws -> PostgresServer {
        try PostgresServer(component, host, attempt: attempt)
    }
}
