import FleetWire

/// The limits of the host machine.
enum AgentCoreLimits {
    /// Transactions kept, the open one included. Fewer, and older rollouts can no longer be rolled
    /// back by name (their points stay); more, and every write of the state grows.
    static let transactionsMax = 20
    /// Checks of one stage. Their results travel in one report, which must fit a frame.
    static let checksMax = 500
    /// Bytes of the name of a step, check or component; reports repeat names.
    static let nameBytesMax = 256
    /// Bytes of a failure in a report, as JSON.
    static let failureBytesMax = 8192
    /// Tries of a restore before it counts as failed.
    static let restoreTriesMax = 3
    /// The pause between two tries of a restore.
    static let restorePause = Milliseconds(1000)
    /// What a step may take over its timeout: TERM, then KILL five seconds later.
    static let stepGrace = Milliseconds.seconds(6)
}
