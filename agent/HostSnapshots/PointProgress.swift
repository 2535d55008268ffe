package import FleetWire

/// How far an operation of the store is. It is given at a bounded rate, and once more at the end of
/// each phase of each component.
package struct PointProgress: Sendable, Hashable {
    /// What is being done.
    package enum Phase: String, Sendable, Hashable {
        /// Files are read and stored.
        case capturing
        /// What a restore needs is found and hashed; nothing has changed yet.
        case checking
        /// Files are written and put in their places.
        case restoring
        /// What was stored or restored is read again.
        case verifying
        /// Objects are rehashed in the background.
        case scrubbing
    }

    /// What is being done.
    package var phase: Phase
    /// The component that it is done to; nil if it concerns the whole store.
    package var component: ComponentName?
    /// Entries done so far in this phase.
    package var entries: Int
    /// Entries that there are in all, where that is known.
    package var entriesTotal: Int?
    /// Bytes of content done so far in this phase.
    package var bytes: ByteCount
    /// Bytes that there are in all, where that is known.
    package var bytesTotal: ByteCount?

    /// A progress of these fields.
    package init(
        phase: Phase, component: ComponentName?, entries: Int, entriesTotal: Int? = nil,
        bytes: ByteCount, bytesTotal: ByteCount? = nil
    ) {
        self.phase = phase
        self.component = component
        self.entries = entries
        self.entriesTotal = entriesTotal
        self.bytes = bytes
        self.bytesTotal = bytesTotal
    }
}
