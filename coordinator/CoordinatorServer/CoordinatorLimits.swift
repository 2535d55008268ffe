package import FleetWire

/// The limits of the coordinator, each with what breaks if it changes.
package enum CoordinatorLimits {
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
    /// Lifetime of a host's certificate unless another is chosen; the agent renews at two thirds.
    package static let hostCertificate = Milliseconds.seconds(30 * 86_400)
    /// Shorter-lived certificates than this would end between two heartbeats.
    package static let hostCertificateMin = Milliseconds.seconds(5)
    /// Events of a rollout between two checkpoints.
    static let checkpointEvery = 500
    /// Hosts inspected at the same time by one `belay plan`.
    static let inspectionsAtOnce = 64
    /// The largest artifact in bytes.
    package static let artifactBytesMax: Int64 = 4 << 30
    /// The largest JSON body of the API in bytes.
    static let bodyBytesMax = 8 << 20
    /// Events in one commit of the journal; bounds how long the first of them waits.
    static let batchMax = 1024
    /// Events that may wait while the journal cannot be written, before the coordinator gives up.
    static let pendingMax = 20_000
    /// The journal is tried again after this.
    static let journalRetry = Milliseconds.seconds(1)
    /// Timers are looked at this often; finer costs more wake-ups at rest.
    static let tickEvery = Milliseconds(100)
    /// A session's last words must have left by then.
    static let farewellWithin = Milliseconds.seconds(3)
    /// How long one host may take to answer an inspection.
    static let inspectionWithin = Milliseconds.seconds(30)
    /// A host's plan must fit into one frame, with room for its envelope.
    static let hostPlanBytesMax = 1_000_000
    /// Disk space that an upload must leave free, in bytes, so that the journal can go on.
    static let spareBytes: UInt64 = 128 << 20
    /// A connection of the API that sends nothing, or only part of a request, is closed after this;
    /// one whose request is being answered is not. Longer lets idle peers hold descriptors.
    static let apiIdleMax = Milliseconds.seconds(30)
    /// Connections of the API at the same time; more wait to be accepted. Bounds the descriptors
    /// that peers without a token can take from the agents and the journal.
    static let apiConnectionsMax = 1000
    /// The longest that a long poll waits; past it proxies cut connections.
    static let pollMax = Milliseconds.seconds(60)
    /// Lines of events in one answer.
    static let eventsMax = 1000
    /// Lifetime of the coordinator's certificate; it renews itself at a start past two thirds.
    static let coordinatorCertificate = Milliseconds.seconds(397 * 86_400)
}
