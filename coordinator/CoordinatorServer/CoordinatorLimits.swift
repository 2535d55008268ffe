import FleetWire

/// The limits of the coordinator, each with what breaks if it changes.
enum CoordinatorLimits {
    /// Heartbeats are due this often. Longer notices a dead host later.
    static let heartbeatEvery = Milliseconds.seconds(5)
    /// A session that was silent for this long is dead; three missed heartbeats.
    static let silenceMax = Milliseconds.seconds(15)
    /// Messages waiting for one slow agent; past that its connection is closed and it comes back.
    static let outboxMax = 256
    /// How long an agent may take to answer an inspection, a check or a question about points.
    static let answerWithin = Milliseconds.seconds(60)
    /// A host's clock may be off by this much before it is told.
    static let skewMax = Milliseconds.seconds(30)
    /// Lifetime of a host's certificate; the agent renews at two thirds of it.
    static let hostCertificate = Milliseconds.seconds(30 * 86_400)
    /// Events of a rollout between two checkpoints.
    static let checkpointEvery = 500
    /// Hosts inspected at the same time by one `belay plan`.
    static let inspectionsAtOnce = 64
    /// The largest artifact in bytes.
    static let artifactBytesMax: Int64 = 4 << 30
    /// The largest JSON body of the API in bytes.
    static let bodyBytesMax = 8 << 20
}
