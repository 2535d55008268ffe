package import FleetWire

/// One thing that is wrong with a plan, or worth a warning.
package struct PlanProblem: Sendable, Hashable, Codable {
    /// How much it matters.
    package enum Severity: String, Sendable, Hashable, Codable { case error, warning }
    /// How much it matters.
    package var severity: Severity
    /// The file; empty for a plan that came by the API.
    package var file: String
    /// From 1; 0 if there is none.
    package var line: Int
    /// From 1; 0 if there is none.
    package var column: Int
    /// What is wrong, what was expected, and the nearest name.
    package var message: String
    /// A problem of these fields.
    package init(severity: Severity, file: String, line: Int, column: Int, message: String) {
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }
}

/// All that is wrong with a plan, at once.
package struct PlanProblems: Error, Sendable, Hashable, Codable {
    /// In order of their place.
    package var problems: [PlanProblem]
    /// These problems.
    package init(_ problems: [PlanProblem]) { self.problems = problems }
}

/// A plan with the local files that its artifacts are.
package struct LoadedPlan: Sendable {
    /// The plan.
    package var plan: Plan
    /// Local files to upload, by digest.
    package var artifactFiles: [Digest: String]
    /// Warnings.
    package var warnings: [PlanProblem]
}

/// Reads plans from YAML files.
package enum PlanLoader {
    /// Reads, checks and inlines `path`; throws every problem at once.
    package static func load(path: String) throws(PlanProblems) -> LoadedPlan {
        throw PlanProblems([])
    }
}

/// A host that a plan is held against.
package struct FleetHost: Sendable, Hashable {
    /// Its id.
    package var id: HostID
    /// Its labels.
    package var labels: [String: String]
    /// A host of these fields.
    package init(id: HostID, labels: [String: String]) {
        self.id = id
        self.labels = labels
    }
}

extension Plan {
    /// SHA-256 over the canonical JSON of the plan.
    package var digest: Digest { Digest(bytes: [UInt8](repeating: 0, count: 32))! }

    /// Holds the plan against the fleet; throws what does not fit (a selector without hosts, an
    /// unknown host, a wave that stays empty, …). Checks everything again that the loader checks,
    /// since a plan may come by the API from elsewhere.
    package func resolve(against fleet: [FleetHost]) throws(PlanProblems) -> ResolvedPlan {
        throw PlanProblems([])
    }
}
