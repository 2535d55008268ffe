import FleetWire

/// The limits of gates, each with what breaks if it changes.
enum GateLimits {
    /// Gates asked at the same time over all rollouts; more wait. Each may hold an answer in memory.
    static let atOnce = 64
    /// The longest answer of a server that is read, in bytes; a longer one is no data.
    static let answerBytesMax = 1 << 20
    /// The longest detail that a gate leaves in the journal, in bytes.
    static let detailBytesMax = 2048
    /// How long a connection to a server may take within the gate's own timeout.
    static let connectWithin = Milliseconds.seconds(10)
    /// The longest header that a file may hold, in bytes.
    static let headerBytesMax = 16_384
    /// Samples kept of one metric of one host, over five hours of heartbeats; fewer would cut long
    /// windows short.
    static let samplesMax = 4096
    /// Samples that come sooner after the last one do not count, so that a host that beats too fast
    /// cannot push others out of a window.
    static let sampleEvery = Milliseconds(500)
}
