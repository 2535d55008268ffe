package import FleetWire
package import RolloutPlan

/// Which hosts something is asked of; exactly one of the three is given.
package struct HostSelection: Codable, Sendable, Hashable {
    /// These hosts.
    package var hosts: [HostID]?
    /// The hosts whose labels match, as Kubernetes writes selectors.
    package var selector: String?
    /// True for all hosts that are enrolled and not revoked.
    package var all: Bool?
    /// These hosts.
    package init(hosts: [HostID]) { self.hosts = hosts }
    /// Those that match; nil is all.
    package init(selector: String?) {
        self.selector = selector
        all = selector == nil ? true : nil
    }
}

/// Asks about rollback points, or orders something done with them, on many hosts.
package struct FleetPointRequest: Codable, Sendable, Hashable {
    /// The hosts.
    package var selection: HostSelection
    /// What each of them is asked. To create without components means those of the newest rollout
    /// that reached the host.
    package var request: PointRequest
    /// Hosts asked at the same time; nil lets the coordinator choose.
    package var maxParallel: Int?
    /// With restore: hosts that may be under way at the same time, as a count or a percentage of
    /// the selection, rounded down, at least 1; nil is 1.
    package var maxUnavailable: Count?
    /// With restore: true goes on with the other hosts after one failed.
    package var keepGoing: Bool?
    /// How long one host may take; nil is what fits the action.
    package var within: Milliseconds?
    /// A request of the hosts of `selection`.
    package init(selection: HostSelection, request: PointRequest) {
        self.selection = selection
        self.request = request
    }
}

/// One host's answer; the coordinator sends one object a line as the answers come.
package struct PointAnswer: Codable, Sendable, Hashable {
    /// The host.
    package var host: HostID
    /// How many hosts the request has, each with one answer.
    package var hosts: Int
    /// The id under which the journal keeps what was ordered; nil for a question.
    package var operation: String?
    /// What the host answered.
    package var reply: PointReply?
    /// Why there is no reply. Besides the agent's own codes: `unreachable` the host is not
    /// connected or did not answer in time, `outcome_unknown` its connection ended or the time was
    /// over after an order had left, `damaged` the point to restore is, `not_started` nothing was
    /// asked of it.
    package var failure: APIFailure?
    /// An answer of `host`.
    package init(
        host: HostID, hosts: Int = 1, reply: PointReply? = nil, failure: APIFailure? = nil
    ) {
        self.host = host
        self.hosts = hosts
        self.reply = reply
        self.failure = failure
    }
}

/// What was ordered of the points of many hosts; stands in the journal before the first host hears
/// of it.
package struct PointOrder: Codable, Sendable, Hashable {
    /// Its id.
    package var operation: String
    /// What was ordered.
    package var action: PointRequest.Action
    /// Of which hosts.
    package var hosts: [HostID]
    /// The point, as the operator named it.
    package var point: String?
    /// With create: the point's name.
    package var name: String?
    /// With create: the components, where the operator gave them.
    package var components: [ComponentName]?
    /// With restore: how much of each host.
    package var scope: RollbackScope?
    /// With restore: only these components of the scope.
    package var only: [ComponentName]?
    /// With prune: what is kept.
    package var retention: PointRetention?
    /// With restore: hosts that may be under way at the same time.
    package var maxUnavailable: Int?
    /// The operator's words.
    package var reason: String?
    /// An order of these hosts; all else is taken from `request`.
    package init(operation: String, hosts: [HostID], request: PointRequest) {
        self.operation = operation
        self.hosts = hosts
        action = request.action
        point = request.point
        name = request.name
        components = request.components?.map(\.name)
        scope = request.scope
        only = request.only
        retention = request.retention
        reason = request.reason
    }
}

/// How one host carried an order out; stands in the journal before the operator sees it.
package struct PointOutcome: Codable, Sendable, Hashable {
    /// The points that were made, restored or removed; at most 100.
    package var points: [PointID]
    /// With restore: the state before, captured first.
    package var before: PointID?
    /// With restore: entries written or repaired.
    package var changed: Int?
    /// With restore: entries removed.
    package var removed: Int?
    /// With prune: bytes that the store no longer takes.
    package var freed: ByteCount?
    /// Why it was not carried out.
    package var failure: APIFailure?
    /// The outcome that an answer tells of.
    package init(_ answer: PointAnswer) {
        let reply = answer.reply
        let ids = reply?.prune?.removed ?? reply?.points.map(\.id) ?? []
        points = Array(ids.prefix(100))
        before = reply?.restore?.before
        changed = reply?.restore?.changed
        removed = reply?.restore?.removed
        freed = reply?.prune?.freed
        failure = answer.failure
    }
}
