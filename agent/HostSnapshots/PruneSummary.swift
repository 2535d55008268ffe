package import FleetWire

/// What a prune did, or would do.
package struct PruneSummary: Sendable, Hashable {
    /// A point and why it is removed or kept.
    package struct Verdict: Sendable, Hashable {
        /// The point.
        package var id: PointID
        /// `over count 10`, `older than 30d`, `over 5 GiB`; `in use`, `last good`, ….
        package var reason: String
    }
    /// Points that were removed, oldest first.
    package var removed: [Verdict] = []
    /// Points that were kept although a limit says no, oldest first.
    package var protected: [Verdict] = []
    /// How many points are left.
    package var kept = 0
    /// Packs, clone files and snapshots that were removed or written anew.
    package var collected = 0
    /// Bytes that came free on the store's file system.
    package var freed = ByteCount(0)
    /// Why points or garbage were left for the next prune, one sentence each; empty if none were.
    package var deferred: [String] = []
    /// Nothing was done yet.
    package init() {}
}
