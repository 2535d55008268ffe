/// Rollback points as they are listed and asked for.

/// One rollback point.
package struct PointSummary: Codable, Sendable, Hashable {
    /// Its id; ids sort by time.
    package var id: PointID
    /// When it was taken, by the host's clock.
    package var at: Timestamp
    /// Why it was taken: `before migration`, `before rollback`, or the operator's words.
    package var reason: String
    /// The rollout that took it.
    package var rollout: RolloutID?
    /// What it holds.
    package var components: [PointComponent]
    /// The digest of its manifest.
    package var digest: Digest
    /// A summary of these fields.
    package init(
        id: PointID, at: Timestamp, reason: String, rollout: RolloutID?,
        components: [PointComponent], digest: Digest
    ) {
        self.id = id
        self.at = at
        self.reason = reason
        self.rollout = rollout
        self.components = components
        self.digest = digest
    }
}

/// One component's capture within a point.
package struct PointComponent: Codable, Sendable, Hashable {
    /// The component.
    package var name: ComponentName
    /// Its driver's name.
    package var driver: String
    /// Files and other entries that it holds.
    package var entries: Int
    /// Their size.
    package var bytes: ByteCount
    /// What its driver warns of, such as a secret in clear; never with a secret.
    package var notes: [String]?
    /// A capture of these fields.
    package init(
        name: ComponentName, driver: String, entries: Int, bytes: ByteCount,
        notes: [String]? = nil
    ) {
        self.name = name
        self.driver = driver
        self.entries = entries
        self.bytes = bytes
        self.notes = notes
    }
}

/// What the coordinator asks of a host's points.
package struct PointRequest: Codable, Sendable, Hashable {
    /// What to do.
    package var action: Action
    /// With show and verify.
    package var id: PointID?
    /// With create: what to capture.
    package var components: [ComponentSpec]?
    /// With create: the operator's words.
    package var reason: String?
    /// The things that can be asked.
    package enum Action: String, Codable, Sendable, Hashable { case list, create, show, verify }
    /// A request of these fields.
    package init(
        action: Action, id: PointID? = nil, components: [ComponentSpec]? = nil,
        reason: String? = nil
    ) {
        self.action = action
        self.id = id
        self.components = components
        self.reason = reason
    }
}

/// The host's answer; a request that failed is answered `refused`.
package struct PointReply: Codable, Sendable, Hashable {
    /// The points asked for.
    package var points: [PointSummary]
    /// With show: the entries, `mode owner size path`, at most 1,000 lines.
    package var entries: [String]?
    /// With verify: what is damaged; empty if all of it was read back and is whole.
    package var damaged: [String]?
    /// A reply of these fields.
    package init(points: [PointSummary], entries: [String]? = nil, damaged: [String]? = nil) {
        self.points = points
        self.entries = entries
        self.damaged = damaged
    }
}

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
    /// A request of these fields.
    package init(
        checks: [CheckSpec], variables: [String: String], labels: [String: String]
    ) {
        self.checks = checks
        self.variables = variables
        self.labels = labels
    }
}

/// What the checks found.
package struct CheckReply: Codable, Sendable, Hashable {
    /// One result a check.
    package var results: [CheckResult]
    /// A reply of these results.
    package init(results: [CheckResult]) { self.results = results }
}
