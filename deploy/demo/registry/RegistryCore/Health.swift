/// What the service finds when it looks at itself; the body of `/healthz`.
package struct Health: Codable, Sendable, Equatable {
    /// One thing that was looked at.
    package struct Check: Codable, Sendable, Equatable {
        /// `catalog`, `datasets`, `flags` or `configuration`.
        package var name: String
        /// Whether it can be used.
        package var ok: Bool
        /// What was found.
        package var detail: String

        static func passed(_ name: String, _ detail: String) -> Check {
            Check(name: name, ok: true, detail: detail)
        }

        static func failed(_ name: String, _ detail: String) -> Check {
            Check(name: name, ok: false, detail: detail)
        }
    }

    /// `ok`, or `failing` when any check is not.
    package var status: String
    /// The release's version.
    package var version: String
    /// The schema found in the database; nil when it cannot be read.
    package var schema: Int?
    /// The flags as the service uses them.
    package var flags: [String: Bool]
    /// All checks, in a fixed order.
    package var checks: [Check]

    init(version: String, schema: Int?, flags: [String: Bool], checks: [Check]) {
        self.status = checks.allSatisfy(\.ok) ? "ok" : "failing"
        self.version = version
        self.schema = schema
        self.flags = flags
        self.checks = checks
    }

    /// True if every check passed.
    package var isOK: Bool { status == "ok" }
}
