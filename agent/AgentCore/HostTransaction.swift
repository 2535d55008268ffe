package import FleetWire

/// One rollout on this host, as far as it must be remembered.
package struct HostTransaction: Codable, Sendable, Hashable {
    /// Where it stands; each case lists what it can become.
    package enum Phase: Codable, Sendable, Hashable {
        /// Work of an order is under way. → what its verb ends in, failed, rollingBack
        case running(OrderVerb, item: Int, attempt: Int, pausing: Bool)
        /// → running, released
        case prepared
        /// → running, released
        case validated
        /// A stage failed before anything changed. → running (next attempt), released
        case failed
        /// All steps ran; a new session must prove the network. → awaiting, rechecking, rollingBack
        case reconnecting(deadline: Timestamp)
        /// Verified; waits for `confirm`; no deadline: holds for an unreachable coordinator.
        /// → confirming, rechecking, rollingBack
        case awaiting(deadline: Timestamp?)
        /// The deadline passed and checks decide. → awaiting, confirming, rollingBack
        case rechecking
        /// The guard is being told. → confirmed, rolledBack (the guard was faster)
        case confirming
        /// → running(commit), rollingBack
        case confirmed
        /// → rollingBack
        case committed
        /// → rolledBack, rollbackFailed, or what it was before a rollback of one part
        case rollingBack(Undo)
        /// → running (next attempt), rollingBack
        case rolledBack
        /// → rollingBack
        case rollbackFailed
        /// It failed, or was not confirmed, past the point of no return: it stays as it is until
        /// somebody decides. → rollingBack, left
        case held
        /// It was held, and the next rollout took the host over as it is. → rollingBack
        case left
        /// Forgotten; nothing had changed. → running (next attempt)
        case released
    }

    /// A rollback that is wanted or under way.
    package struct Undo: Codable, Sendable, Hashable {
        enum Place: Codable, Sendable, Hashable { case evidence, save, restore, pause }
        enum Rest: String, Codable, Sendable, Hashable { case confirmed, committed, rolledBack }
        var scope: RollbackScope
        var point: PointID?
        var by: RollbackActor
        var reason: String
        var place = Place.evidence
        var tries = 0
        /// Why the state before the rollback could not be saved.
        var unsaved: String?
        /// Where the transaction stood; a rollback of one part goes back there.
        var rest: Rest?
    }

    /// The order of another rollout that begins once this one has let the host go.
    struct Next: Codable, Sendable, Hashable {
        var order: TransactionOrder
        var message: String
    }

    /// Its plan; stages and artifacts are dropped once it is over.
    package internal(set) var plan: HostPlan
    /// The attempt, from 1.
    package internal(set) var attempt: Int
    /// Where it stands.
    package internal(set) var phase: Phase
    /// The point that was taken before its first mutation.
    package internal(set) var point: PointID?
    /// The newest report's kind.
    package internal(set) var latest: ReportKind?
    var taken: Set<OrderVerb> = []
    var answers: [String: TransactionReport] = [:]
    var pending: UInt64?
    var wanted: Undo?
    var next: Next?
    var lastUndo: Undo?
    var mutated = false
    var guarded = false
    /// The first step marked `irreversible` that began; nil while the host can come back. Set with
    /// the record that precedes the step, after the guard was told to let go.
    package internal(set) var pastReturn: String?

    init(plan: HostPlan, attempt: Int, phase: Phase) {
        self.plan = plan
        self.attempt = attempt
        self.phase = phase
    }

    /// True while the host belongs to this rollout and no other may begin.
    package var isOpen: Bool {
        switch phase {
        case .running, .prepared, .validated, .reconnecting, .awaiting, .rechecking, .confirming,
            .confirmed, .rollingBack, .rollbackFailed, .held:
            true
        case .failed, .committed, .rolledBack, .released, .left: false
        }
    }

    /// The points that it may still have to restore.
    package var pointsInUse: Set<PointID> {
        Set([point, undoUnderWay?.point, lastUndo?.point].compactMap { $0 })
    }

    /// Why the newest restore failed; nil unless the host stands in a failed rollback.
    package var restoreFailure: String? {
        guard phase == .rollbackFailed else { return nil }
        return answers[OrderVerb.rollback.rawValue]?.failure ?? "the restore failed"
    }

    /// Why the host is held past the point of no return; nil unless it is.
    package var heldFor: String? {
        guard phase == .held else { return nil }
        return answers[OrderVerb.migrate.rawValue]?.failure ?? "migrate failed"
    }

    /// What is done at the deadline: a step that can cut the network turns `hold` into `rollback`,
    /// because the silence may be its doing.
    var policy: CoordinatorLost {
        let steps = plan.stage(.migration).steps + plan.stage(.verification).steps
        let isNetwork = steps.contains { $0.network }
        return plan.coordinatorLost == .hold && isNetwork ? .rollback : plan.coordinatorLost
    }
}
