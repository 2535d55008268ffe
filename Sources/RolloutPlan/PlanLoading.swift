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

/// A host that a plan is held against.
package struct FleetHost: Sendable, Hashable {
    /// Its id.
    package var id: HostID
    /// Its labels.
    package var labels: [String: String]
    /// What its agent found, as far as it is known.
    package var facts: [String: String]
    /// A host of these fields.
    package init(id: HostID, labels: [String: String], facts: [String: String] = [:]) {
        self.id = id
        self.labels = labels
        self.facts = facts
    }
}
