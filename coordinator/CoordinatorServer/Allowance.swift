import FleetWire

/// How much one host may make the coordinator write into its journal by itself: bursts pass, and
/// what is more than that waits.
struct Allowance: Sendable {
    /// What is bounded.
    struct Rate: Sendable {
        /// How much at once.
        let burst: Double
        /// How much is given back each second.
        let perSecond: Double

        static let troubles = Rate(
            burst: CoordinatorLimits.troubleBurst, perSecond: CoordinatorLimits.troublesPerSecond)
        static let reports = Rate(
            burst: CoordinatorLimits.reportBurstBytes,
            perSecond: CoordinatorLimits.reportBytesPerSecond)
    }

    private var spent = 0.0
    private var at: Timestamp?

    /// True if `cost` more is allowed at `now`, and takes it. A clock that goes back gives nothing.
    mutating func take(_ rate: Rate, _ cost: Double, now: Timestamp) -> Bool {
        let passed = max(0, at.map { now.since($0).count } ?? 0)
        at = now
        spent = max(0, spent - Double(passed) / 1000 * rate.perSecond)
        guard spent + cost <= rate.burst else { return false }
        spent += cost
        return true
    }
}
