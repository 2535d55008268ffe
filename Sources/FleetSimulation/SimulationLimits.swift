import FleetWire

/// The limits of a run, each with what breaks if it changes. The first ones repeat constants of
/// AgentRuntime and CoordinatorServer.
enum SimulationLimits {
    /// A connection that was silent for this long is closed by either side (three heartbeats).
    static let silenceMax: Int64 = 15_000
    /// Heartbeats: a silence is noticed up to one of them late.
    static let heartbeat: Int64 = 5_000
    /// The first and the longest pause of an agent before it dials again.
    static let backoffFirst: Int64 = 500
    static let backoffMax: Int64 = 30_000
    /// An agent that lives gets this long after the deadline before its guard acts.
    static let guardGrace: Int64 = 5_000
    /// How often guard and agent look; what they notice is up to this late.
    static let guardPoll = 100
    static let agentPoll = 500
    /// The coordinator looks at its timers this often.
    static let coordinatorPoll = 100
    /// How often the coordinator looks whether a queued rollout's hosts are free.
    static let queuePoll: Int64 = 1000
    /// How long a journal that cannot be written is left alone.
    static let journalRetry: Int64 = 1000
    /// Faults end by then; longer runs see more of them and take more time.
    static let faultsEnd: Int64 = 900_000
    /// The longest restore of a host that is not slow, and how much longer slow ones take.
    static let restoreMax = 4000
    static let slowFactor = 8
    /// Occurrences of one run and host; more means that it spins.
    static let occurrencesPerHost = 20_000
    /// Lines that a recorded run keeps; those after them are counted, and the reader is told.
    static let traceMax = 200_000
    /// Milliseconds after which persons look again what waits for them.
    static let attention: Int64 = 60_000
}
