package import FleetWire

/// What a restore did.
package struct RestoreSummary: Sendable, Hashable {
    /// Entries that were written or repaired.
    package var changed: Int
    /// Entries that were removed because they were not there at the capture.
    package var removed: Int
    /// How long it took, verification and services included.
    package var took: Milliseconds
    /// A summary of these fields.
    package init(changed: Int, removed: Int, took: Milliseconds) {
        self.changed = changed
        self.removed = removed
        self.took = took
    }
}
