/// Steps: one action on one host inside a stage.

/// The five stages, in order.
package enum Stage: String, Codable, Sendable, Hashable, CaseIterable {
    case preparation, validation, migration, verification, finalization
}

/// One step. Strings in actions may hold `{{ host.root }}`, `{{ host.id }}`, `{{ labels.NAME }}`,
/// `{{ facts.NAME }}` and `{{ vars.NAME }}`, filled in on the host; an unknown name is an error.
package struct StepSpec: Codable, Sendable, Hashable {
    /// Unique within its stage.
    package var name: String
    /// What it does.
    package var action: StepAction
    /// TERM after this, KILL five seconds later.
    package var timeout: Milliseconds
    /// How often it is tried in all, at least 1. Exit 21 means "retry later".
    package var attempts: Int
    /// The pause between two tries.
    package var retryDelay: Milliseconds
    /// True if it cannot be taken back.
    package var irreversible: Bool
    /// True if it can cut the host's network.
    package var network: Bool
    /// The phase under which progress and reports show it.
    package var phase: String?
    /// A step of these fields.
    package init(
        name: String, action: StepAction, timeout: Milliseconds = .seconds(60), attempts: Int = 1,
        retryDelay: Milliseconds = .seconds(1), irreversible: Bool = false, network: Bool = false,
        phase: String? = nil
    ) {
        self.name = name
        self.action = action
        self.timeout = timeout
        self.attempts = attempts
        self.retryDelay = retryDelay
        self.irreversible = irreversible
        self.network = network
        self.phase = phase
    }
}

/// What a step does. On the wire: `{"run": {…}}`.
package enum StepAction: Codable, Sendable, Hashable {
    case artifact(ArtifactStep)
    case run(RunStep)
    case service(ServiceStep)
    case flags(FlagsStep)
    case config(ConfigStep)
    case sqlite(SQLiteStep)
    case wait(WaitStep)
    /// An action that this version does not know; refused when loaded, never ignored.
    case unknown(String)

    /// Decodes `{"<action>": {…}}`; an unknown action decodes to `.unknown`.
    package init(from decoder: any Decoder) throws {
        let (key, container) = try SingleKey.read(decoder)
        switch key.stringValue {
        case "artifact": self = .artifact(try container.decode(ArtifactStep.self, forKey: key))
        case "run": self = .run(try container.decode(RunStep.self, forKey: key))
        case "service": self = .service(try container.decode(ServiceStep.self, forKey: key))
        case "flags": self = .flags(try container.decode(FlagsStep.self, forKey: key))
        case "config": self = .config(try container.decode(ConfigStep.self, forKey: key))
        case "sqlite": self = .sqlite(try container.decode(SQLiteStep.self, forKey: key))
        case "wait": self = .wait(try container.decode(WaitStep.self, forKey: key))
        default: self = .unknown(key.stringValue)
        }
    }

    /// Encodes `{"<action>": {…}}`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: SingleKey.self)
        switch self {
        case .artifact(let step): try container.encode(step, forKey: "artifact")
        case .run(let step): try container.encode(step, forKey: "run")
        case .service(let step): try container.encode(step, forKey: "service")
        case .flags(let step): try container.encode(step, forKey: "flags")
        case .config(let step): try container.encode(step, forKey: "config")
        case .sqlite(let step): try container.encode(step, forKey: "sqlite")
        case .wait(let step): try container.encode(step, forKey: "wait")
        case .unknown(let name): try container.encode([String: String](), forKey: SingleKey(name))
        }
    }
}

/// Fetches, verifies, unpacks beside, and switches atomically. The archive is tar, plain or
/// compressed with gzip, known by its content.
package struct ArtifactStep: Codable, Sendable, Hashable {
    /// Names an artifact of the plan.
    package var artifact: String
    /// The directory that the archive is unpacked to (unpacked beside it, then renamed).
    package var destination: String
    /// A symbolic link that is switched to `destination` last, atomically.
    package var link: String?
    /// A step of these fields.
    package init(artifact: String, destination: String, link: String?) {
        self.artifact = artifact
        self.destination = destination
        self.link = link
    }
}

/// Runs a program. Never a shell unless `shell` is given.
package struct RunStep: Codable, Sendable, Hashable {
    /// Program and arguments; empty if `shell` is given.
    package var argv: [String]
    /// A script for `/bin/sh -eu -c`.
    package var shell: String?
    /// Added to a minimal environment (PATH, HOME, LANG, BELAY_ROOT, BELAY_HOST).
    package var env: [String: String]
    /// The working directory; the host's root if nil.
    package var directory: String?
    /// A step of these fields.
    package init(argv: [String], shell: String?, env: [String: String], directory: String?) {
        self.argv = argv
        self.shell = shell
        self.env = env
        self.directory = directory
    }
}

/// Acts on a service component of the plan.
package struct ServiceStep: Codable, Sendable, Hashable {
    /// Names a component with driver `service`.
    package var component: ComponentName
    /// What is done to it.
    package var verb: Verb
    /// What can be done to a service.
    package enum Verb: String, Codable, Sendable, Hashable { case start, stop, restart }
    /// A step of these fields.
    package init(component: ComponentName, verb: Verb) {
        self.component = component
        self.verb = verb
    }
}

/// Sets default variants in a flagd definition file.
package struct FlagsStep: Codable, Sendable, Hashable {
    /// The flagd file.
    package var path: String
    /// Flag to its new default variant; both must exist in the file.
    package var set: [String: String]
    /// Flags that are added if they are missing: name to a flagd definition as JSON text.
    package var define: [String: String]
    /// A step of these fields.
    package init(path: String, set: [String: String], define: [String: String]) {
        self.path = path
        self.set = set
        self.define = define
    }
}

/// Writes a configuration file from a template, atomically, keeping owner and mode.
package struct ConfigStep: Codable, Sendable, Hashable {
    /// The file.
    package var path: String
    /// The template's text.
    package var template: String
    /// The mode of a new file, octal text such as `0640`; default 0640.
    package var mode: String?
    /// A step of these fields.
    package init(path: String, template: String, mode: String?) {
        self.path = path
        self.template = template
        self.mode = mode
    }
}

/// Migrates a SQLite database by `PRAGMA user_version`, each migration in one transaction.
package struct SQLiteStep: Codable, Sendable, Hashable {
    /// The database file.
    package var path: String
    /// In ascending order; those at or below the present version are not run.
    package var migrations: [Migration]
    /// SQL that takes the database to one version.
    package struct Migration: Codable, Sendable, Hashable {
        /// `user_version` after it.
        package var version: Int
        /// The statements; they must not contain BEGIN or COMMIT.
        package var sql: String
        /// A migration of these fields.
        package init(version: Int, sql: String) {
            self.version = version
            self.sql = sql
        }
    }
    /// A step of these fields.
    package init(path: String, migrations: [Migration]) {
        self.path = path
        self.migrations = migrations
    }
}

/// Waits for a span, or until a check passes within the step's timeout.
package struct WaitStep: Codable, Sendable, Hashable {
    /// The span to wait.
    package var span: Milliseconds?
    /// The check that must pass; tried every half second.
    package var until: CheckSpec?
    /// A step of these fields.
    package init(span: Milliseconds?, until: CheckSpec?) {
        self.span = span
        self.until = until
    }
}
