import AgentCore
import FleetWire

/// One host of a simulated world: what is on its disk, its agent's process and its guard's.
struct SimulatedHost: Sendable {
    /// `guard/armed.json`.
    struct Armed: Sendable, Hashable {
        var order: GuardOrder
        /// In virtual milliseconds, as the guard counts on the boot-time clock.
        var due: Int64
    }

    /// `guard/closed.json`.
    struct Closed: Sendable, Hashable {
        var rollout: RolloutID
        var attempt: Int
    }

    /// Who holds or wants `guard/restore.lock`.
    enum Locker: Sendable, Hashable {
        case work(UInt64)
        case watch
        case start
    }

    /// A piece of work that is under way.
    struct Work: Sendable {
        var effect: HostEffect
        var endsAt: Int64
        var isCancelled = false
        /// How it will end; decided when it begins, so that a cancelled one can end otherwise.
        var willFail = false
    }

    let id: HostID
    let domain: String

    // MARK: - What survives the agent

    /// The state in `journal.sqlite`.
    var machine = HostMachine()
    /// One version per component: 0 is old, -1 is torn.
    var disk: [Int]
    var points: [PointID: [Int]] = [:]
    var armed: Armed?
    var closed: Closed?
    var outcome: GuardOutcome?

    // MARK: - Processes

    var isAgentUp = false
    var life = 0
    /// Raised by a reboot of the machine.
    var boot = 0
    var goneSince: Int64?
    var works: [UInt64: Work] = [:]
    var unwritten: [HostEvent] = []
    var isFull = false
    var isWatching = false
    var isGuardActing = false
    /// When the restore that is under way began.
    var restoreBegan: Int64 = 0
    var lockedBy: Locker?
    var lockers: [Locker] = []
    /// True once an order was refused because the journal could not be written.
    var hasRefused = false

    // MARK: - The network

    var epoch = 0
    var served: Int?
    var session: Int?
    var backoff = SimulationLimits.backoffFirst
    var cut: Cut?

    // MARK: - Its nature

    var factor = 1
    var isFlapping = false
    /// True if the new version does not run here.
    var isBroken = false
    var stepFailures = 0
    var restoreFailures = 0
    var clockOffset: Int64 = 0
    var agentOffset: Int64 = 0

    // MARK: - The world's books

    var isDown = false
    var stepsRun: Set<String> = []
    var pointCount = 0
    var lastChecksPassed = false
    /// The step that cannot be taken back and that began here; nil once all was restored.
    var crossed: String?
    /// True once a person asked to take it back all the same.
    var mayReturn = false

    /// A stretch of time in which nothing gets through.
    struct Cut: Sendable {
        var up: Bool
        var down: Bool
        var from: Int64
        var to: Int64
        var breaks: Bool { to - from > SimulationLimits.silenceMax }
    }

    init(id: HostID, domain: String, components: Int) {
        self.id = id
        self.domain = domain
        disk = Array(repeating: 0, count: max(1, components))
    }

    /// True if nothing of the change is on it.
    var isOld: Bool { disk.allSatisfy { $0 == 0 } }
}
