/// Components: the named parts of a host's state that can be captured and restored alone.

/// One component as plans declare it. Paths are absolute on the host; an agent with `--root DIR`
/// takes them below DIR.
package struct ComponentSpec: Codable, Sendable, Hashable {
    /// Unique within the plan.
    package var name: ComponentName
    /// How it is captured and restored.
    package var driver: ComponentDriver
    /// True if a restore of this component alone must stop and start the plan's services around it.
    package var restart: Bool
    /// True if what is mounted within its trees belongs to it; nil counts as false.
    package var crossMounts: Bool?
    /// True if it may be captured with nothing in it although it held something before; nil counts
    /// as false.
    package var allowEmpty: Bool?
    /// A component of these fields.
    package init(
        name: ComponentName, driver: ComponentDriver, restart: Bool, crossMounts: Bool? = nil,
        allowEmpty: Bool? = nil
    ) {
        self.name = name
        self.driver = driver
        self.restart = restart
        self.crossMounts = crossMounts
        self.allowEmpty = allowEmpty
    }
}

/// The kinds of components and their parameters. On the wire: `{"files": {…}}`.
package enum ComponentDriver: Codable, Sendable, Hashable {
    /// Trees and files; `data` true puts it in the scope `data`.
    case files(paths: [String], exclude: [String], data: Bool)
    /// Configuration files; `strict` true refuses a capture that holds what is only warned of.
    case config(paths: [String], strict: Bool = false)
    /// One flagd definition file.
    case flags(path: String)
    /// A service: whether it runs, and its unit.
    case service(ServiceControl)
    /// One SQLite database, by online backup.
    case sqlite(path: String)
    /// One Debian package.
    case package(PackageComponent)
    /// One PostgreSQL database.
    case postgres(PostgresComponent)
    /// One btrfs subvolume.
    case btrfs(BtrfsComponent)
    /// What the operator's programs capture and restore.
    case command(CommandComponent)
    /// A driver that this version does not know; refused when loaded, never ignored.
    case unknown(String)

    private struct Fields: Codable {
        var path: String?
        var paths: [String]?
        var exclude: [String]?
        var data: Bool?
        var strict: Bool?
    }

    /// Decodes `{"<driver>": {…}}`; an unknown driver decodes to `.unknown`.
    package init(from decoder: any Decoder) throws {
        let (key, container) = try SingleKey.read(decoder)
        switch key.stringValue {
        case "files":
            let fields = try container.decode(Fields.self, forKey: key)
            self = .files(
                paths: fields.paths ?? [], exclude: fields.exclude ?? [],
                data: fields.data ?? false)
        case "config":
            let fields = try container.decode(Fields.self, forKey: key)
            self = .config(paths: fields.paths ?? [], strict: fields.strict ?? false)
        case "flags":
            self = .flags(path: try container.decode(Fields.self, forKey: key).path ?? "")
        case "sqlite":
            self = .sqlite(path: try container.decode(Fields.self, forKey: key).path ?? "")
        case "service":
            self = .service(try container.decode(ServiceControl.self, forKey: key))
        case "package":
            self = .package(try container.decode(PackageComponent.self, forKey: key))
        case "postgres":
            self = .postgres(try container.decode(PostgresComponent.self, forKey: key))
        case "btrfs":
            self = .btrfs(try container.decode(BtrfsComponent.self, forKey: key))
        case "command":
            self = .command(try container.decode(CommandComponent.self, forKey: key))
        default: self = .unknown(key.stringValue)
        }
    }

    /// Encodes `{"<driver>": {…}}`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: SingleKey.self)
        switch self {
        case .files(let paths, let exclude, let data):
            try container.encode(
                Fields(paths: paths, exclude: exclude, data: data), forKey: "files")
        case .config(let paths, let strict):
            try container.encode(
                Fields(paths: paths, strict: strict ? true : nil), forKey: "config")
        case .flags(let path): try container.encode(Fields(path: path), forKey: "flags")
        case .sqlite(let path): try container.encode(Fields(path: path), forKey: "sqlite")
        case .service(let control): try container.encode(control, forKey: "service")
        case .package(let component): try container.encode(component, forKey: "package")
        case .postgres(let component): try container.encode(component, forKey: "postgres")
        case .btrfs(let component): try container.encode(component, forKey: "btrfs")
        case .command(let component): try container.encode(component, forKey: "command")
        case .unknown(let name): try container.encode(Fields(), forKey: SingleKey(name))
        }
    }

    /// The driver's name in plans.
    package var name: String {
        switch self {
        case .files: "files"
        case .config: "config"
        case .flags: "flags"
        case .service: "service"
        case .sqlite: "sqlite"
        case .package: "package"
        case .postgres: "postgres"
        case .btrfs: "btrfs"
        case .command: "command"
        case .unknown(let name): name
        }
    }
}

/// How a service is started and stopped: a systemd unit, or three commands.
package struct ServiceControl: Codable, Sendable, Hashable {
    /// The unit's name, under systemd.
    package var unit: String?
    /// Starts it and returns once it was started; argv.
    package var start: [String]?
    /// Stops it and returns once it has stopped; argv.
    package var stop: [String]?
    /// Exit 0 if it runs, 3 if it does not; argv.
    package var status: [String]?
    /// A control of these fields; either `unit` or all three commands.
    package init(
        unit: String? = nil, start: [String]? = nil, stop: [String]? = nil,
        status: [String]? = nil
    ) {
        self.unit = unit
        self.start = start
        self.stop = stop
        self.status = status
    }
}

/// Which part of a host's state a rollback takes back.
package enum RollbackScope: Codable, Sendable, Hashable, CustomStringConvertible {
    /// All components.
    case full
    /// One component.
    case component(ComponentName)
    /// The components with driver `flags`.
    case flags
    /// The components with driver `config`.
    case config
    /// The databases, and files marked as data.
    case data

    /// Reads `full`, `flags`, `config`, `data` or `component=NAME`; nil for anything else.
    package init?(_ text: String) {
        switch text {
        case "full": self = .full
        case "flags": self = .flags
        case "config": self = .config
        case "data": self = .data
        default:
            guard text.hasPrefix("component="),
                let name = ComponentName(String(text.dropFirst("component=".count)))
            else { return nil }
            self = .component(name)
        }
    }

    /// Decodes the printed form.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let scope = RollbackScope(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a rollback scope")
        }
        self = scope
    }

    /// Encodes as the printed form.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// `full`, `flags`, `config`, `data` or `component=NAME`.
    package var description: String {
        switch self {
        case .full: "full"
        case .component(let name): "component=\(name)"
        case .flags: "flags"
        case .config: "config"
        case .data: "data"
        }
    }

    /// True if `component` belongs to this scope.
    package func covers(_ component: ComponentSpec) -> Bool {
        switch (self, component.driver) {
        case (.full, _): true
        case (.component(let name), _): name == component.name
        case (.flags, .flags), (.config, .config), (.data, .sqlite), (.data, .postgres): true
        case (.data, .files(_, _, let data)): data
        case (.data, .btrfs(let component)): component.data
        case (.data, .command(let component)): component.data
        default: false
        }
    }
}

/// The key of a one-key object that says which case it is.
struct SingleKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ text: String) { stringValue = text }
    init(stringLiteral text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }

    static func read(
        _ decoder: any Decoder
    ) throws -> (SingleKey, KeyedDecodingContainer<SingleKey>) {
        let container = try decoder.container(keyedBy: SingleKey.self)
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "expected an object with exactly one key"))
        }
        return (key, container)
    }
}
