/// Validators as they travel: what to look at, and what was found.

/// How much a check's failure weighs.
package enum CheckLevel: String, Codable, Sendable, Hashable { case critical, warning, info }

/// One check to run on a host.
package struct CheckSpec: Codable, Sendable, Hashable {
    /// Unique within its stage or gate.
    package var name: String
    /// What it looks at.
    package var kind: CheckKind
    /// `critical` and not passed: the stage or gate fails. `warning`: it is shown.
    package var level: CheckLevel
    /// The check's process group is ended after this and the result is unknown.
    package var timeout: Milliseconds
    /// The phase under which progress and reports show it.
    package var phase: String?
    /// What it counts as if it could not be looked at; nil is `fail`: it blocks.
    package var onUnknown: UnknownPolicy?
    /// A check of these fields.
    package init(
        name: String, kind: CheckKind, level: CheckLevel = .critical,
        timeout: Milliseconds = .seconds(10), phase: String? = nil,
        onUnknown: UnknownPolicy? = nil
    ) {
        self.name = name
        self.kind = kind
        self.level = level
        self.timeout = timeout
        self.phase = phase
        self.onUnknown = onUnknown
    }
}

/// What a check that could not be looked at counts as.
package enum UnknownPolicy: String, Codable, Sendable, Hashable {
    /// It blocks as a failure does.
    case fail
    /// It is shown and does not block; a pass it is not.
    case warn
}

/// What a check looks at. On the wire: `{"http": {…}}`. Templates as in steps.
package enum CheckKind: Codable, Sendable, Hashable {
    /// A program: exit 0 passes, anything else fails.
    case run(RunCheck)
    /// One request to a URL of plain HTTP.
    case http(HTTPCheck)
    /// Free space of the file system that holds a path.
    case diskSpace(DiskSpaceCheck)
    /// The SHA-256 of a file.
    case fileDigest(FileDigestCheck)
    /// `PRAGMA integrity_check` and `foreign_key_check` of a database.
    case sqliteIntegrity(SQLiteIntegrityCheck)
    /// A validator of the catalog by its id, with its parameters.
    case validator(ValidatorCall)
    /// A kind that this version does not know; its result is unknown, never pass.
    case unknown(String)

    /// Decodes `{"<kind>": {…}}`; an unknown kind decodes to `.unknown`.
    package init(from decoder: any Decoder) throws {
        let (key, container) = try SingleKey.read(decoder)
        switch key.stringValue {
        case "run": self = .run(try container.decode(RunCheck.self, forKey: key))
        case "http": self = .http(try container.decode(HTTPCheck.self, forKey: key))
        case "disk_space", "diskSpace":
            self = .diskSpace(try container.decode(DiskSpaceCheck.self, forKey: key))
        case "file_digest", "fileDigest":
            self = .fileDigest(try container.decode(FileDigestCheck.self, forKey: key))
        case "sqlite_integrity", "sqliteIntegrity":
            self = .sqliteIntegrity(try container.decode(SQLiteIntegrityCheck.self, forKey: key))
        case "validator":
            self = .validator(try container.decode(ValidatorCall.self, forKey: key))
        default: self = .unknown(key.stringValue)
        }
    }

    /// Encodes `{"<kind>": {…}}`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: SingleKey.self)
        switch self {
        case .run(let check): try container.encode(check, forKey: "run")
        case .http(let check): try container.encode(check, forKey: "http")
        case .diskSpace(let check): try container.encode(check, forKey: "disk_space")
        case .fileDigest(let check): try container.encode(check, forKey: "file_digest")
        case .sqliteIntegrity(let check): try container.encode(check, forKey: "sqlite_integrity")
        case .validator(let call): try container.encode(call, forKey: "validator")
        case .unknown(let name): try container.encode([String: String](), forKey: SingleKey(name))
        }
    }

    /// The kind's name in plans.
    package var name: String {
        switch self {
        case .run: "run"
        case .http: "http"
        case .diskSpace: "disk_space"
        case .fileDigest: "file_digest"
        case .sqliteIntegrity: "sqlite_integrity"
        case .validator(let call): call.id
        case .unknown(let name): name
        }
    }
}

/// Runs a program and judges its exit code.
package struct RunCheck: Codable, Sendable, Hashable {
    /// The program; exit 0 passes, anything else fails.
    package var run: RunStep
    /// Text that its output must contain; nil asks nothing.
    package var contains: String?
    /// A check of these fields.
    package init(run: RunStep, contains: String?) {
        self.run = run
        self.contains = contains
    }
}

/// Sends one GET request.
package struct HTTPCheck: Codable, Sendable, Hashable {
    /// `http://host[:port]/path`.
    package var url: String
    /// Statuses that pass; 200 if empty.
    package var status: [Int]
    /// Text that the first 64 KiB of the body must contain; nil asks nothing.
    package var contains: String?
    /// A check of these fields.
    package init(url: String, status: [Int], contains: String?) {
        self.url = url
        self.status = status
        self.contains = contains
    }
}

/// Asks for free space.
package struct DiskSpaceCheck: Codable, Sendable, Hashable {
    /// Any path on the file system.
    package var path: String
    /// At least this many bytes must be free.
    package var bytesMin: ByteCount
    /// A check of these fields.
    package init(path: String, bytesMin: ByteCount) {
        self.path = path
        self.bytesMin = bytesMin
    }
}

/// Compares a file's content.
package struct FileDigestCheck: Codable, Sendable, Hashable {
    /// The file.
    package var path: String
    /// What its SHA-256 must be.
    package var digest: Digest
    /// A check of these fields.
    package init(path: String, digest: Digest) {
        self.path = path
        self.digest = digest
    }
}

/// Checks a database's integrity.
package struct SQLiteIntegrityCheck: Codable, Sendable, Hashable {
    /// The database file.
    package var path: String
    /// What `user_version` must be; nil asks nothing.
    package var userVersion: Int?
    /// A check of these fields.
    package init(path: String, userVersion: Int?) {
        self.path = path
        self.userVersion = userVersion
    }
}

/// What a check found. Unknown never counts as pass.
package enum CheckStatus: String, Codable, Sendable, Hashable {
    case pass, warn, fail, unknown
    case notApplicable = "not_applicable"
}

/// One check's result.
package struct CheckResult: Codable, Sendable, Hashable {
    /// The check's name.
    package var name: String
    /// The kind's name.
    package var kind: String
    /// The check's level.
    package var level: CheckLevel
    /// The verdict.
    package var status: CheckStatus
    /// What was measured, with its unit, and against which threshold.
    package var measured: String
    /// What to do if it did not pass.
    package var remedy: String?
    /// How long it took.
    package var took: Milliseconds
    /// What it was held against, if the validator tells it apart from `measured`.
    package var threshold: String?
    /// What shows it: lines of output, names of files; redacted and bounded.
    package var evidence: [String]?
    /// The thresholds, and every parameter that the plan did not give, with their origins.
    package var parameters: [ShownParameter]?
    /// Numbers that the look gave.
    package var metrics: [CheckMetric]?
    /// A result of these fields.
    package init(
        name: String, kind: String, level: CheckLevel, status: CheckStatus, measured: String,
        remedy: String?, took: Milliseconds, threshold: String? = nil, evidence: [String]? = nil,
        parameters: [ShownParameter]? = nil, metrics: [CheckMetric]? = nil
    ) {
        self.name = name
        self.kind = kind
        self.level = level
        self.status = status
        self.measured = measured
        self.remedy = remedy
        self.took = took
        self.threshold = threshold
        self.evidence = evidence
        self.parameters = parameters
        self.metrics = metrics
    }
}

/// One number that a check gave, with the ranges that it was held against.
package struct CheckMetric: Codable, Sendable, Hashable {
    /// At most so many of one check are kept.
    package static let countMax = 32

    /// What it counts.
    package var name: String
    /// The number.
    package var value: Double
    /// `s`, `%`, `B`, `c` for a counter; nil for a plain number.
    package var unit: String?
    /// The range outside which it warns, as Nagios writes ranges.
    package var warn: String?
    /// The range outside which it fails.
    package var fail: String?
    /// The least that it can be.
    package var least: Double?
    /// The most that it can be.
    package var most: Double?
    /// A metric of these fields.
    package init(
        name: String, value: Double, unit: String? = nil, warn: String? = nil, fail: String? = nil,
        least: Double? = nil, most: Double? = nil
    ) {
        self.name = name
        self.value = value
        self.unit = unit
        self.warn = warn
        self.fail = fail
        self.least = least
        self.most = most
    }
}
