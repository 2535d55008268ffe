import FleetWire
import Foundation
import Glibc
import SQLiteFile

@testable import HostSnapshots

/// A tree, a configuration file or a file of flags.
final class TreeSubject: DriverSubject {
    let scratch: Scratch
    let spec: ComponentSpec
    let isAtomic = false
    private let path: String

    init(_ kind: DriverKind) throws {
        scratch = try Scratch()
        let driver: ComponentDriver
        switch kind {
        case .config: (path, driver) = ("/etc/app.conf", .config(paths: ["/etc/app.conf"]))
        case .flags: (path, driver) = ("/etc/flags.json", .flags(path: "/etc/flags.json"))
        case .files, .sqlite, .service, .package, .postgres, .btrfs, .command:
            (path, driver) = ("/etc/tree", .files(paths: ["/etc/tree"], exclude: [], data: false))
        }
        spec = ComponentSpec(name: try name("thing"), driver: driver, restart: false)
        mkdir(scratch.root + "/etc", 0o755)
    }

    private var isTree: Bool { path == "/etc/tree" }

    private func flags(_ variant: String) -> String {
        """
        {"flags": {"beta": {"state": "ENABLED", "variants": {"on": true, "off": false},
         "defaultVariant": "\(variant)"}}}
        """
    }

    func make() throws {
        if isTree { mkdir(scratch.root + path, 0o755) }
        try scratch.write(isTree ? "/etc/tree/a" : path, flags("off"))
        if isTree { symlink("a", scratch.root + "/etc/tree/link") }
    }

    func change() throws {
        try scratch.write(isTree ? "/etc/tree/a" : path, flags("on"))
        if isTree {
            try scratch.write("/etc/tree/added", "x")
            unlink(scratch.root + "/etc/tree/link")
        }
    }

    func remove() throws { try Scratch.run(["rm", "-rf", scratch.root + path]) }

    func breakIt() throws {
        if path == "/etc/flags.json" {
            return try scratch.write(path, "{\"flags\": {\"a\": {\"state\": \"ENABLED\"}}}")
        }
        // A link where a directory of the path should be: it is never followed.
        guard rename(scratch.root + "/etc", scratch.root + "/real") == 0,
            symlink("real", scratch.root + "/etc") == 0
        else { throw TestFailure("link") }
    }

    func view() throws -> String {
        let found = try lines(path)
        return found.isEmpty ? "absent" : found.joined(separator: "\n")
    }
}

/// A SQLite database with a write-ahead log.
final class DatabaseSubject: DriverSubject {
    let scratch: Scratch
    let spec: ComponentSpec
    let isAtomic = true

    init(in scratch: Scratch? = nil) throws {
        self.scratch = try scratch ?? Scratch()
        spec = ComponentSpec(name: try name("thing"), driver: .sqlite(path: "/db"), restart: false)
    }

    private func run(_ script: String) throws {
        let writer = try SQLiteConnection(path: scratch.root + "/db")
        try writer.makeDurable()
        try writer.run(script: script)
    }

    func make() throws { try run("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)") }
    func change() throws { try run("INSERT INTO t VALUES (3)") }
    func remove() throws {
        for suffix in ["", "-wal", "-shm"] { unlink(scratch.root + "/db" + suffix) }
    }
    func breakIt() throws {
        try remove()
        try scratch.write("/db", "this is no database, whatever its name says")
    }
    func view() throws -> String {
        guard isThere("/db") else { return "absent" }
        let reader = try SQLiteConnection(path: scratch.root + "/db")
        return "\(try reader.query("SELECT a FROM t ORDER BY a"))"
    }
}

/// A file that the operator's own programs dump and load.
final class CommandSubject: DriverSubject {
    let scratch: Scratch
    let spec: ComponentSpec
    let isAtomic = true

    init() throws {
        scratch = try Scratch()
        func script(_ text: String) -> [String] {
            ["/bin/sh", "-eu", "-c", "cd \"$BELAY_ROOT\"; " + text]
        }
        spec = ComponentSpec(
            name: try name("thing"),
            driver: .command(
                CommandComponent(
                    capture: script("test -e \"$FILE\" || exit 3; exec cat \"$FILE\""),
                    restore: script("cat > new; mv new \"$FILE\""),
                    verify: script("test -s \"$FILE\""), remove: script("rm \"$FILE\""),
                    env: ["FILE": "state"])), restart: false)
    }

    func make() throws { try scratch.write("/state", String(repeating: "one ", count: 600_000)) }
    func change() throws { try scratch.write("/state", "two") }
    func remove() throws { unlink(scratch.root + "/state") }
    func breakIt() throws {
        try remove()
        mkdir(scratch.root + "/state", 0o755)
    }
    func view() throws -> String { read("/state") ?? "absent" }
}

/// A systemd unit with a drop-in.
final class ServiceSubject: DriverSubject {
    let scratch: Scratch
    let spec: ComponentSpec
    let units: FileUnits
    let isAtomic = false
    private let folder = "/etc/systemd/system"

    init(in scratch: Scratch? = nil) throws {
        self.scratch = try scratch ?? Scratch()
        units = FileUnits(self.scratch.root)
        spec = ComponentSpec(
            name: try name("thing"), driver: .service(ServiceControl(unit: "app.service")),
            restart: false)
        try Scratch.run(["mkdir", "-p", self.scratch.root + folder])
    }

    func store() throws -> PointStore {
        try PointStore(
            directory: scratch.path + "/points", root: scratch.root, services: units)
    }

    func make() throws {
        try Scratch.run(["mkdir", "-p", scratch.root + folder + "/app.service.d"])
        try scratch.write(folder + "/app.service", "[Service]\nExecStart=/bin/one\n")
        try scratch.write(folder + "/app.service.d/limits.conf", "[Service]\nNice=1\n")
        try units.reload()
        try units.enable(ServiceControl(unit: "app.service"), .enabled)
        try units.start(ServiceControl(unit: "app.service"))
    }

    func change() throws {
        try scratch.write(folder + "/app.service", "[Service]\nExecStart=/bin/two\n")
        unlink(scratch.root + folder + "/app.service.d/limits.conf")
        try units.reload()
        try units.stop(ServiceControl(unit: "app.service"))
        try units.enable(ServiceControl(unit: "app.service"), .disabled)
    }

    func remove() throws {
        try units.stop(ServiceControl(unit: "app.service"))
        try units.enable(ServiceControl(unit: "app.service"), .disabled)
        try Scratch.run([
            "rm", "-rf", scratch.root + folder + "/app.service",
            scratch.root + folder + "/app.service.d",
        ])
        try units.reload()
    }

    func breakIt() throws { units.isBroken = true }

    func view() throws -> String {
        let control = ServiceControl(unit: "app.service")
        units.isBroken = false
        let files =
            try lines(folder + "/app.service") + lines(folder + "/app.service.d")
        let links = try lines(folder + "/multi-user.target.wants").dropFirst()
        guard !files.isEmpty || !links.isEmpty else { return "absent" }
        return files.joined(separator: "\n")
            + "\n\(links.count) links, loaded \(units.loaded.sorted { $0.key < $1.key }), "
            + "runs \(units.active), \(try units.enablement(control)?.description ?? "none")"
    }
}

/// systemd as far as it can be had without it: unit files and links below a root decide.
final class FileUnits: ServiceControlling, @unchecked Sendable {
    // Used by one thread of one test at a time.
    var isBroken = false
    /// A process that is dead changes nothing.
    var isDead: () -> Bool = { false }
    var active: Set<String> = []
    /// What was read of each unit file when it was last read.
    var loaded: [String: String] = [:]
    private let folder: String

    init(_ root: String) { folder = root + "/etc/systemd/system" }

    func unit(_ control: ServiceControl) throws -> String? { control.unit }

    private func contents() throws -> [String: String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var found: [String: String] = [:]
        for name in names where name.hasSuffix(".service") {
            found[name] = (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) ?? ""
        }
        return found
    }

    private func link(_ unit: String) -> String { folder + "/multi-user.target.wants/" + unit }

    func isActive(_ control: ServiceControl) throws -> Bool {
        if isBroken { throw TestFailure("systemd does not answer") }
        return active.contains(control.unit ?? "")
    }

    func start(_ control: ServiceControl) throws {
        if isDead() { return }
        guard loaded[control.unit ?? ""] != nil else { throw TestFailure("no such unit") }
        active.insert(control.unit ?? "")
    }

    func stop(_ control: ServiceControl) throws {
        if !isDead() { active.remove(control.unit ?? "") }
    }

    func enablement(_ control: ServiceControl) throws -> UnitEnablement? {
        let unit = control.unit ?? ""
        var target = [CChar](repeating: 0, count: 100)
        let count = readlink(folder + "/" + unit, &target, 100)
        if count > 0,
            String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
                == "/dev/null"
        {
            return .masked
        }
        guard access(folder + "/" + unit, F_OK) == 0 else { return .missing }
        var found = stat()
        return lstat(link(unit), &found) == 0 ? .enabled : .disabled
    }

    func enable(_ control: ServiceControl, _ enablement: UnitEnablement) throws {
        if isDead() { return }
        let unit = control.unit ?? ""
        if enablement == .enabled {
            mkdir(folder + "/multi-user.target.wants", 0o755)
            guard symlink("../" + unit, link(unit)) == 0 || errno == EEXIST else {
                throw TestFailure("link")
            }
        } else if enablement == .disabled {
            unlink(link(unit))
        }
    }

    func needsReload(_ control: ServiceControl) throws -> Bool { try contents() != loaded }
    func reload() throws {
        if !isDead() { loaded = try contents() }
    }
}

extension FileUnits: CrashServices {
    func remembered() -> () -> Void {
        let (active, loaded) = (active, loaded)
        return {
            self.active = active
            self.loaded = loaded
        }
    }

    /// What is enabled starts.
    func boot() throws {
        loaded = try contents()
        active = []
        for unit in loaded.keys
        where try enablement(ServiceControl(unit: unit)) == .enabled { active.insert(unit) }
    }
}
