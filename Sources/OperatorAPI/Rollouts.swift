package import FleetWire
package import RolloutCore
package import RolloutPlan

/// A rollout as it is listed.
package struct RolloutSummary: Codable, Sendable, Hashable {
    /// Its id.
    package var id: RolloutID
    /// The plan's name.
    package var name: String
    /// The plan's digest.
    package var planDigest: Digest
    /// Who made it.
    package var by: String
    /// Where it stands.
    package var state: RolloutState
    /// Why it is there, one sentence.
    package var reason: String
    /// When it was made.
    package var createdAt: Timestamp
    /// When it ended.
    package var endedAt: Timestamp?
    /// The last journal record that it includes.
    package var sequence: UInt64
    /// How many hosts are in each state; states without hosts are left out.
    package var hostStates: [String: Int]
    /// Where it stands in the queue; nil if it does not wait for other rollouts.
    package var queue: QueueView?
    /// The summary of a view.
    package init(_ view: RolloutView) {
        id = view.id
        name = view.name
        planDigest = view.planDigest
        by = view.by
        state = view.state
        reason = view.reason
        createdAt = view.createdAt
        endedAt = view.endedAt
        sequence = view.sequence
        hostStates = Dictionary(grouping: view.hosts) { $0.state.rawValue }.mapValues(\.count)
    }
    /// How many hosts are in this state.
    package func hosts(_ state: HostState) -> Int { hostStates[state.rawValue] ?? 0 }
}

/// Where a rollout stands that waits for others to let go of its hosts.
package struct QueueView: Codable, Sendable, Hashable {
    /// 1 is the next of those that wait for the same hosts.
    package var position: Int
    /// The rollouts that come first: those that hold its hosts, and those that wait before it.
    package var waitsFor: [RolloutID]
    /// A place of these fields.
    package init(position: Int, waitsFor: [RolloutID]) {
        self.position = position
        self.waitsFor = waitsFor
    }
}

/// Asks what a plan would do; nothing changes.
package struct PreviewRequest: Codable, Sendable, Hashable {
    /// The plan with its local files inlined.
    package var plan: Plan
    /// A request for `plan`.
    package init(plan: Plan) { self.plan = plan }
}

/// What a plan would do.
package struct PlanPreview: Codable, Sendable, Hashable {
    /// The plan held against the fleet.
    package var plan: ResolvedPlan
    /// Covers the plan, its hosts and their present state: `apply --digest` refuses when it moved.
    package var digest: Digest
    /// What an operator should know before applying.
    package var notes: [String]
    /// By host: what would change there.
    package var inspections: [HostInspection]
    /// A preview of these fields.
    package init(
        plan: ResolvedPlan, digest: Digest, notes: [String], inspections: [HostInspection]
    ) {
        self.plan = plan
        self.digest = digest
        self.notes = notes
        self.inspections = inspections
    }
}

/// What a plan would change on one host, or why that is not known.
package struct HostInspection: Codable, Sendable, Hashable {
    /// The host.
    package var host: HostID
    /// What its agent computed.
    package var inspection: Inspection?
    /// Why there is none.
    package var failure: String?
    /// An inspection of these fields.
    package init(host: HostID, inspection: Inspection?, failure: String?) {
        self.host = host
        self.inspection = inspection
        self.failure = failure
    }
}

/// Starts a rollout.
package struct ApplyRequest: Codable, Sendable, Hashable {
    /// The plan with its local files inlined.
    package var plan: Plan
    /// The digest that `belay plan` printed; nil skips the comparison.
    package var digest: Digest?
    /// True if known-bad artifacts and plans are let through.
    package var overrideQuarantine: Bool
    /// The operator's words.
    package var reason: String?
    /// True waits for rollouts that hold its hosts instead of being refused; nil is false.
    package var queue: Bool?
    /// A request of these fields.
    package init(plan: Plan, digest: Digest?, overrideQuarantine: Bool, reason: String?) {
        self.plan = plan
        self.digest = digest
        self.overrideQuarantine = overrideQuarantine
        self.reason = reason
    }
}

/// A command to a rollout.
package struct CommandRequest: Codable, Sendable, Hashable {
    /// What to do.
    package var command: OperatorCommand
    /// The operator's words.
    package var reason: String?
    /// A request of these fields.
    package init(command: OperatorCommand, reason: String?) {
        self.command = command
        self.reason = reason
    }
}

/// One line of `belay events`.
package struct EventLine: Codable, Sendable, Hashable {
    /// The journal's sequence number.
    package var sequence: UInt64
    /// When.
    package var at: Timestamp
    /// Who.
    package var actor: String
    /// `fleet` or a rollout's id.
    package var stream: String
    /// The kind of event.
    package var kind: String
    /// The event, as JSON text.
    package var event: String
    /// A line of these fields.
    package init(
        sequence: UInt64, at: Timestamp, actor: String, stream: String, kind: String, event: String
    ) {
        self.sequence = sequence
        self.at = at
        self.actor = actor
        self.stream = stream
        self.kind = kind
        self.event = event
    }
}

/// What a check of the journal found.
package struct AuditView: Codable, Sendable, Hashable {
    /// Records that were read.
    package var records: UInt64
    /// The hash of the last.
    package var head: String
    /// The first sequence number at which the chain is broken; nil if it is whole.
    package var brokenAt: UInt64?
    /// What is wrong there.
    package var reason: String?
    /// A view of these fields.
    package init(records: UInt64, head: String, brokenAt: UInt64?, reason: String?) {
        self.records = records
        self.head = head
        self.brokenAt = brokenAt
        self.reason = reason
    }
}

/// A digest that is known to be bad.
package struct QuarantineView: Codable, Sendable, Hashable {
    /// The artifact or plan.
    package var digest: Digest
    /// Why.
    package var reason: String
    /// The rollout that found out.
    package var rollout: RolloutID
    /// When.
    package var at: Timestamp
    /// Until when; nil is for good.
    package var until: Timestamp?
    /// What it is the digest of; nil in entries of older versions.
    package var kind: Kind?
    /// The plan's or artifact's name; nil in entries of older versions.
    package var name: String?
    /// In lists: true once it is over and blocks nothing any more.
    package var expired: Bool?
    /// What can be in quarantine.
    package enum Kind: String, Codable, Sendable, Hashable { case plan, artifact }
    /// True once it is over.
    package func hasEnded(at now: Timestamp) -> Bool { until.map { $0 <= now } ?? false }
    /// A view of these fields; it is for good and says nothing of its kind.
    package init(digest: Digest, reason: String, rollout: RolloutID, at: Timestamp) {
        self.digest = digest
        self.reason = reason
        self.rollout = rollout
        self.at = at
    }
}

/// Takes hosts back; at least one of `rollout` and `host` is given.
package struct RollbackRequest: Codable, Sendable, Hashable {
    /// The rollout; nil is the newest that changed `host`.
    package var rollout: RolloutID?
    /// Only this host.
    package var host: HostID?
    /// Only this wave.
    package var wave: String?
    /// How much of each host.
    package var scope: RollbackScope
    /// To which point; nil is each host's own point of the rollout.
    package var point: PointID?
    /// Lifts `max_unavailable` and `max_parallel`.
    package var fast: Bool
    /// True if later rollouts on the same hosts may be taken back with it.
    package var includeLater: Bool
    /// True if hosts may be taken back that ran an irreversible step; it needs a reason. Nil is false.
    package var acrossPointOfNoReturn: Bool?
    /// The operator's words.
    package var reason: String?
    /// A request of these fields.
    package init(
        rollout: RolloutID?, host: HostID?, wave: String?, scope: RollbackScope, point: PointID?,
        fast: Bool, includeLater: Bool, reason: String?
    ) {
        self.rollout = rollout
        self.host = host
        self.wave = wave
        self.scope = scope
        self.point = point
        self.fast = fast
        self.includeLater = includeLater
        self.reason = reason
    }
}

/// What the coordinator says of itself.
package struct StatusView: Codable, Sendable, Hashable {
    /// Its version.
    package var version: String
    /// Its name.
    package var name: String
    /// The number of its term.
    package var generation: Generation
    /// When it started.
    package var startedAt: Timestamp
    /// Hosts that are enrolled and not revoked.
    package var hosts: Int
    /// Hosts whose agents are connected.
    package var connected: Int
    /// Rollouts that have not ended.
    package var openRollouts: [RolloutID]
    /// The journal's last sequence number.
    package var sequence: UInt64
    /// Who asks.
    package var principal: APITokenView
    /// What keeps it from doing its work, each with what to do; empty if all is well.
    package var problems: [String]
    /// A status of these fields.
    package init(
        version: String, name: String, generation: Generation, startedAt: Timestamp, hosts: Int,
        connected: Int, openRollouts: [RolloutID], sequence: UInt64, principal: APITokenView,
        problems: [String] = []
    ) {
        self.version = version
        self.name = name
        self.generation = generation
        self.startedAt = startedAt
        self.hosts = hosts
        self.connected = connected
        self.openRollouts = openRollouts
        self.sequence = sequence
        self.principal = principal
        self.problems = problems
    }
}
