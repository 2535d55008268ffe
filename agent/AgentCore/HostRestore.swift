package import FleetWire

/// A restore of a point that belongs to no rollout: ordered by the coordinator or by an operator on
/// the host.
package struct HostRestore: Codable, Sendable, Hashable {
    /// Where it stands; each case lists what it can become.
    package enum Phase: Codable, Sendable, Hashable {
        /// The present state is captured; nothing has changed. → restoring, refused
        case saving
        /// Components are being written. → pausing, done, refused (nothing had changed), failed
        case restoring
        /// A try failed; another one follows. → restoring
        case pausing
        /// The components are as the point holds them.
        case done(changed: Int, removed: Int, took: Milliseconds)
        /// Nothing was changed, and why.
        case refused(String)
        /// The host is half restored, and why.
        case failed(String)
    }

    /// The point that is restored.
    package var point: PointID
    /// The rollout that took the point; its labels and variables are in its services' commands.
    package var rollout: RolloutID?
    /// All components of the point, as it holds them; all are captured before.
    package var held: [ComponentSpec]
    /// The names of those that are restored.
    package var chosen: [ComponentName]
    /// Who ordered it.
    package var by: RollbackActor
    /// The words of who ordered it.
    package var reason: String
    /// True if the present state is not captured before.
    package var noCapture: Bool
    /// The state before, once it was captured.
    package internal(set) var before: PointID?
    /// Where it stands.
    package internal(set) var phase = Phase.saving
    /// Its number among all work; tells one restore from the next.
    package internal(set) var number: UInt64 = 0
    var tries = 0
    var pending: UInt64?
    /// True once somebody asked to stop it.
    var isStopped = false
    /// True if a run of it may have changed something, unseen by a process that was killed.
    var mayHaveChanged = false

    /// A restore of these fields that has not begun.
    package init(
        point: PointID, rollout: RolloutID?, held: [ComponentSpec], chosen: [ComponentName],
        by: RollbackActor,
        reason: String, noCapture: Bool
    ) {
        self.point = point
        self.rollout = rollout
        self.held = held
        self.chosen = chosen
        self.by = by
        self.reason = reason
        self.noCapture = noCapture
    }

    /// True while it is under way.
    package var isOpen: Bool {
        switch phase {
        case .saving, .restoring, .pausing: true
        case .done, .refused, .failed: false
        }
    }

    /// The components that are restored.
    package var restored: [ComponentSpec] { held.filter { chosen.contains($0.name) } }
}

/// A component that a restore left between two states, until some restore covers it.
package struct HalfRestored: Codable, Sendable, Hashable {
    /// The component, as the point holds it.
    package var component: ComponentSpec
    /// The point that was being restored.
    package var point: PointID
    /// The state before that restore.
    package var before: PointID?
    /// Why the restore ended.
    package var reason: String
    /// When it ended.
    package var since: Timestamp
}
