/// Looks at a host that change nothing: what a plan would do there, and what checks find.

/// Asks what a plan would change on the host; nothing changes.
package struct InspectRequest: Codable, Sendable, Hashable {
    /// The host's part of the plan.
    package var plan: HostPlan
    /// A request for `plan`.
    package init(plan: HostPlan) { self.plan = plan }
}

/// What a plan would change on the host.
package struct Inspection: Codable, Sendable, Hashable {
    /// The changes, in the order of the steps.
    package var changes: [PlannedChange]
    /// A digest over the present content of all components.
    package var state: Digest
    /// What would keep the host from going: too little space, a missing directory, …
    package var problems: [String]
    /// An inspection of these fields.
    package init(changes: [PlannedChange], state: Digest, problems: [String]) {
        self.changes = changes
        self.state = state
        self.problems = problems
    }
}

/// One change that a step would make.
package struct PlannedChange: Codable, Sendable, Hashable {
    /// The stage and name of the step.
    package var step: String
    /// The file, flag, service or database.
    package var subject: String
    /// `create`, `modify`, `switch`, `restart`, `migrate`, `run`, `none`.
    package var action: String
    /// A unified diff or a sentence, redacted.
    package var detail: String
    /// A change of these fields.
    package init(step: String, subject: String, action: String, detail: String) {
        self.step = step
        self.subject = subject
        self.action = action
        self.detail = detail
    }
}

/// Asks a host to run checks now.
package struct CheckRequest: Codable, Sendable, Hashable {
    /// The checks.
    package var checks: [CheckSpec]
    /// Variables for templates.
    package var variables: [String: String]
    /// Labels for templates.
    package var labels: [String: String]
    /// True asks for each result as it comes, as `checkResult`, besides the answer.
    package var streams: Bool?
    /// A request of these fields.
    package init(
        checks: [CheckSpec], variables: [String: String], labels: [String: String],
        streams: Bool? = nil
    ) {
        self.checks = checks
        self.variables = variables
        self.labels = labels
        self.streams = streams
    }
}

/// What the checks found.
package struct CheckReply: Codable, Sendable, Hashable {
    /// One result a check.
    package var results: [CheckResult]
    /// A reply of these results.
    package init(results: [CheckResult]) { self.results = results }
}
