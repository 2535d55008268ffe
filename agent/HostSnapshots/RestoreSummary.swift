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

/// How far a restore is; given once for every entry that is repaired or removed.
package struct RestoreProgress: Sendable, Hashable {
    /// The component that is being restored.
    package var component: ComponentName
    /// Entries done so far in this component.
    package var done: Int
    /// Entries that differ in this component.
    package var total: Int
    /// The entry that was done, as `show` prints it.
    package var path: String
}
