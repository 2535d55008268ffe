import AgentCore
import FleetWire
import RolloutCore

/// What can happen in a simulated world. Hosts and connections are given by their index; a `life`
/// is one run of one process, so that what belongs to an earlier one is dropped.
enum Occurrence: Sendable {
    // The network
    case dials(host: Int, life: Int)
    case arrivesAtCoordinator(UpFrame, connection: Int)
    case arrivesAtAgent(DownFrame, connection: Int)
    case noticesEnd(connection: Int, Side)
    case agentLeaves(connection: Int)
    case cutEnds(host: Int)
    // Agent and guard
    case agentStarts(host: Int, life: Int)
    case agentRestarts(host: Int, life: Int)
    case agentTicks(host: Int, life: Int)
    case agentReadsOutcome(host: Int, life: Int)
    case agentTriesJournal(host: Int, life: Int)
    case workEnds(host: Int, life: Int, work: UInt64)
    case lockIsFree(host: Int)
    case guardStarts(host: Int, boot: Int)
    case guardLooks(host: Int, boot: Int)
    case guardEnds(host: Int, boot: Int)
    case spaceReturns(host: Int)
    case forgets(host: Int, life: Int, UInt64)
    // The coordinator
    case makesRollout
    case looksAtQueue
    case coordinatorStarts
    case coordinatorWrites(life: Int)
    case coordinatorWritten(life: Int)
    case coordinatorWakes(life: Int)
    case coordinatorDiskHeals
    indirect case gateAnswers(
        life: Int, wave: String, gate: String, round: Int, hosts: [Int], [CheckSpec])
    indirect case probeAnswers(life: Int, wave: String, gate: String, round: Int)
    case calendarAnswers(life: Int)
    indirect case comparisonEnds(life: Int, host: Int, PointID)
    // Trouble
    case trouble
    case operatorActs
    case personsLook
    indirect case staleOrder(host: Int, TransactionOrder, Generation)
    case audit(host: Int, Audit)
}

/// What an agent sends.
indirect enum UpFrame: Sendable {
    case hello(OpenTransaction?)
    case report(TransactionReport)
    case refused(OrderVerb, attempt: Int, Refusal)
}

/// What a coordinator sends.
indirect enum DownFrame: Sendable {
    case welcome(Generation, acknowledged: UInt64)
    case order(TransactionOrder, Generation)
    case acknowledge(UInt64)
    case bye(retryAfter: Milliseconds)
}

/// The two ends of a connection.
enum Side: Sendable { case agent, coordinator }

/// A moment by which a host must be back in its old state unless it was confirmed.
enum Audit: Sendable {
    /// The agent has been dead since then.
    case death(life: Int)
    /// The guard's order with this deadline has expired.
    case deadline(Timestamp, attempt: Int)
}

/// One TCP connection: in order, whole until it breaks.
struct Connection: Sendable {
    let host: Int
    /// The agent's run and the coordinator's that it connects.
    let life: Int
    let coordinatorLife: Int
    /// The agent's epoch when it was dialled.
    let epoch: Int
    var isAgentOpen = true
    var isCoordinatorOpen = true
    var isGreeted = false
    /// True once something was lost in that direction: nothing after it can arrive.
    var isUpLost = false
    var isDownLost = false
    var upArrival: Int64 = 0
    var downArrival: Int64 = 0
    /// What waits at the coordinator while a report is being made durable.
    var unread: [UpFrame] = []
    var isReading = false
    var retryAfter = Milliseconds.zero
}
