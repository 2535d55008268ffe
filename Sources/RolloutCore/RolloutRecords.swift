import FleetWire

/// Which part of the rollout runs. preparing → wave(0) → … → finalizing.
enum RolloutProgress: Codable, Sendable, Hashable {
    case preparing
    case wave(Int)
    case finalizing
}

/// What the machine keeps of one wave.
struct WaveRecord: Codable, Sendable, Hashable {
    /// Indexes of its hosts, in the order in which they go.
    var hosts: [Int]
    var state = RolloutView.WaveView.State.waiting
    var since: Timestamp
    var soakUntil: Timestamp?
    /// The gate that is being asked.
    var gate = 0
    /// Numbers the evaluations of all gates of the wave; an answer to an older one is ignored.
    var round = 0
    /// Hosts asked in the round that is under way; nil if none is.
    var asking: [Int]?
    /// When the gate was first asked.
    var askedFirst: Timestamp?
    /// When it is asked again.
    var askAgainAt: Timestamp?
    var verdicts: [Verdict?]
    var details: [String]
    /// What persons said of each gate, by the gate's place.
    var approvals: [Int: [Approval]] = [:]
    /// How many of its hosts go at once now, in a wave that grows.
    var atOnce: Int?
    /// How many of them got through in a row.
    var inRow = 0
    /// True if nothing can vouch for the wave and only a person may let it pass.
    var needsPerson = false
}

/// A rollback of several hosts that is under way.
struct RollbackPass: Codable, Sendable, Hashable {
    /// All its hosts.
    var targets: [Int]
    var scope: RollbackScope
    var point: PointID?
    var fast: Bool
    /// True if nothing that the rollout changed is left afterwards.
    var isFull: Bool
    /// Where the rollout goes on after a part was taken back.
    var returnTo: RolloutState
    var reason: String
    /// True if hosts past the point of no return are taken back too.
    var across = false
    /// Hosts past the point of no return that stay as they are.
    var left: [Int] = []
}

/// Many hosts vanished at once: nothing is counted and nothing starts.
struct MassLoss: Codable, Sendable, Hashable {
    var since: Timestamp
    /// Hosts that are still missing, those marked `vanished`.
    var missing: Int
    var text: String
}

/// Sessions that ended lately.
struct RecentLosses: Codable, Sendable, Hashable {
    /// A host whose session ended.
    struct Loss: Codable, Sendable, Hashable {
        var host: Int
        var at: Timestamp
    }
    /// Oldest first; what stands before `from` is over.
    var list: [Loss] = []
    var from = 0
    /// Hosts marked `isRecentLoss`.
    var count = 0

    /// Takes the oldest one out if it is older than `moment`.
    mutating func takeFirst(before moment: Timestamp) -> Loss? {
        guard from < list.count, list[from].at < moment else { return nil }
        defer {
            from += 1
            if from * 2 > list.count {
                list.removeFirst(from)
                from = 0
            }
        }
        return list[from]
    }
}

/// Limits of the machine, each with what breaks if it changes.
enum RolloutLimit {
    /// Sessions that end within this span are one event; shorter and a slow switch failure looks
    /// like many failures of hosts.
    static let massLossWithin = Milliseconds.seconds(30)
    /// A gate is never asked more often, whatever the plan says; lower and the agents are flooded.
    static let gateEveryMin = Milliseconds(1000)
    /// A moment that already passed is looked at again after this, so that a wake never spins.
    static let wakeAfterMin = Milliseconds(250)
    /// An order that was refused for what passes is given again after this; sooner and a host that
    /// is busy for long fills the journal.
    static let askAgainAfter = Milliseconds.seconds(10)
    /// Names that one sentence lists; more make it unreadable.
    static let namesMax = 5
}
