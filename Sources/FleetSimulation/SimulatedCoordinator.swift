import FleetWire
import RolloutCore

/// The coordinator's process and its disk.
struct SimulatedCoordinator: Sendable {
    /// Something to decide on; a report's connection waits until it is durable.
    struct Input: Sendable {
        var event: RolloutEvent
        var connection: Int?
    }

    // MARK: - Durable

    /// The rollout's stream.
    private(set) var journal: [RolloutEvent] = []
    /// The newest report of each host that is in the journal.
    private(set) var durable: [HostID: UInt64] = [:]
    var generation = Generation(rawValue: 1)

    // MARK: - In memory

    var isUp = true
    var life = 0
    var machine = RolloutMachine()
    /// The newest report of each host that was counted.
    var reported: [UInt64]
    var presence: [Int?]
    var pending: [Input] = []
    var writing: [Input] = []
    var isWriting = false
    var wakeAt: Timestamp?
    /// The virtual moment at which it looks at `wakeAt`.
    var looksAt: Int64?

    // MARK: - Its nature

    var isFull = false
    var offset: Int64 = 0
    /// Until when another rollout has the hosts; zero if none has.
    var hostsFreeAt: Int64 = 0
    /// Orders that an older run may still have had on their way.
    var lastOrders: [(host: Int, order: TransactionOrder, term: Generation)] = []

    init(hosts: Int) {
        reported = Array(repeating: 0, count: hosts)
        presence = Array(repeating: nil, count: hosts)
    }

    /// Makes events durable.
    mutating func append(_ events: [RolloutEvent]) {
        journal += events
        for event in events {
            switch event {
            case .reported(let id, let report, _):
                durable[id] = max(durable[id] ?? 0, report.sequence)
            case .replaced(let id, _): durable[id] = nil
            default: break
            }
        }
    }
}
