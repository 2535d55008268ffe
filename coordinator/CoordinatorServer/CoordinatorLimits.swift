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
    /// Events of a rollout, or of the fleet, between two checkpoints.
    static let checkpointEvery = 500
    /// Records that are read and decoded at once; more hold more memory during a start.
    static let replayPage = 2000
    /// Rollouts that ended and stay in memory, in metrics too; more cost memory, fewer make it slower
    /// to look at what just ended.
    static let endedKept = 16
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
    /// Lifetime of the coordinator's certificate; it is renewed once two thirds are over.
    static let coordinatorCertificate = Milliseconds.seconds(397 * 86_400)
    /// How often its age is looked at; only a clock that jumps needs it sooner than in days.
    static let certificateLookEvery = Milliseconds.seconds(1)
    /// A renewal that failed is tried again after this.
    static let certificateRetry = Milliseconds.seconds(60)
    /// A stop takes no longer than this; what still runs then is cut off.
    static let stopWithin = Milliseconds.seconds(10)
    /// Hosts that one request about points asks at the same time, unless it says otherwise. More load
    /// the network and what the hosts share, such as their disks' storage.
    static let pointsAtOnce = 16
    /// The most that a request may choose.
    static let pointsAtOnceMax = 256
    /// Hosts that run checks for one operator at the same time, unless he says otherwise.
    static let checkedAtOnce = 64
    /// Checks of one request; the request must fit a frame.
    static let checksMax = 200
    /// The longest that the checks of one host may take together.
    static let checkedWithinMax = Milliseconds.seconds(3600)
    /// Orders about points that may be under way at the same time; each holds its answers in memory
    /// until its caller took them.
    static let pointOrdersMax = 32
    /// The longest that a request may let one host take.
    static let pointWithinMax = Milliseconds.seconds(86_400)
    /// The longest reason, name or reference of a point in bytes; they stand in the journal.
    static let pointTextBytesMax = 1024
    /// Hosts that one selection may name; with all it has any number.
    static let namedHostsMax = 10_000
    /// Troubles of one host that are looked at; a host with more is in need of somebody anyway.
    static let troublesMax = 32
    /// How many troubles of one host may come and go at once: a host that is broken or evil must not
    /// fill the journal.
    static let troubleBurst = 64.0
    /// And how many more each second: one in half a minute.
    static let troublesPerSecond = 1.0 / 30
    /// Bytes of reports that one host may have kept at once: some hundred times what a rollout with
    /// long outputs takes. Fewer would slow an honest host down.
    static let reportBurstBytes = Double(64 << 20)
    /// Bytes of reports that are given back each second, about 350 MB a day.
    static let reportBytesPerSecond = 4096.0
    /// A report costs the journal this many bytes even if it is smaller.
    static let reportBytesMin = 1024
    /// A host that reports too much comes back after this.
    static let reportPause = Milliseconds.seconds(30)
    /// How long a host may take to compare itself with a rollback point; large hosts read all.
    static let compareWithin = Milliseconds.seconds(1800)
    /// A calendar that cannot be read is read again after this.
    static let calendarRetry = Milliseconds.seconds(60)
    /// A session whose identity comes a second time must answer within this, or it is taken for
    /// dead. Longer keeps a host out whose old connection broke unnoticed.
    static let rivalAnswersWithin = Milliseconds.seconds(3)
    /// Where an agent is told to come back whose identity is in use.
    static let rivalPause = Milliseconds.seconds(60)
    /// An identity that did not come twice for so long is taken to be one host's again.
    static let rivalQuiet = Milliseconds.seconds(600)
    /// How long a quarantine that has ended is still listed.
    static let quarantineShown = Milliseconds.seconds(7 * 86_400)
    /// Orders of one session that a refusal can be matched with; a host is under one at a time.
    static let ordersKept = 64
    /// The longest reason that a refusal of an order leaves in the journal, in bytes.
    static let refusalBytesMax = 4096
    /// While answers are waited for, an empty line leaves this often: whoever went away is noticed
    /// by it, and whoever waits sees that the coordinator lives.
    static let answersTickEvery = Milliseconds.seconds(1)
}
