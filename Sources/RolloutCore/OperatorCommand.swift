package import FleetWire
package import RolloutChecklist

/// What an operator can tell a rollout, in any of its states; the machine says which it refuses.
package enum OperatorCommand: Codable, Sendable, Hashable {
    /// Let a rollout begin that awaits approval, or approve the gate that is waited for.
    case approve
    /// Close the gate or refuse the rollout that awaits approval; it needs a reason.
    case reject
    /// Start no new host and no new wave; what runs on hosts goes on.
    case pause
    /// Go on.
    case resume
    /// Open the manual gate that is waited for, or end a soak early.
    case promote
    /// End for good; hosts that are under way are rolled back, changed hosts are left as they are.
    case abort
    /// Try failed hosts again: all of them if `hosts` is empty.
    case retry(hosts: [HostID])
    /// Leave a host out; it needs a reason.
    case skip(host: HostID)
    /// Take hosts back.
    case rollback(RollbackSelection)
    /// Change an item of the plan's checklist.
    case checklist(ChecklistChange)

    /// The command's name on the command line.
    package var name: String {
        switch self {
        case .approve: "approve"
        case .reject: "reject"
        case .pause: "pause"
        case .resume: "resume"
        case .promote: "promote"
        case .abort: "abort"
        case .retry: "retry"
        case .skip: "skip"
        case .rollback: "rollback"
        case .checklist: "checklist"
        }
    }
}

/// Which hosts are taken back, how much of them and to when.
package struct RollbackSelection: Codable, Sendable, Hashable {
    /// Which hosts.
    package enum Hosts: Codable, Sendable, Hashable {
        /// All that the rollout changed.
        case all
        /// Those of one wave.
        case wave(String)
        /// These.
        case named([HostID])
    }
    /// Which hosts.
    package var hosts: Hosts
    /// How much of each.
    package var scope: RollbackScope
    /// To which point; nil is each host's own point of this rollout.
    package var point: PointID?
    /// Lifts `max_unavailable` and `max_parallel`.
    package var fast: Bool
    /// True if later rollouts on the same hosts may be taken back with it.
    package var includeLater: Bool
    /// True if hosts may be taken back that ran an irreversible step; it needs a reason.
    package var acrossPointOfNoReturn: Bool
    /// A selection of these fields.
    package init(
        hosts: Hosts, scope: RollbackScope = .full, point: PointID? = nil, fast: Bool = false,
        includeLater: Bool = false, acrossPointOfNoReturn: Bool = false
    ) {
        self.hosts = hosts
        self.scope = scope
        self.point = point
        self.fast = fast
        self.includeLater = includeLater
        self.acrossPointOfNoReturn = acrossPointOfNoReturn
    }
}
