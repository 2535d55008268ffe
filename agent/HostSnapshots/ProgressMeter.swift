import FleetWire

/// Counts what is done and gives it as progress at a bounded rate. Of one thread.
final class ProgressMeter {
    private static let every = Duration.milliseconds(100)
    private let give: (PointProgress) -> Void
    private var last = ContinuousClock.now
    /// The phase that was begun and what it has counted.
    private var counted: PointProgress?

    init(_ give: @escaping (PointProgress) -> Void) { self.give = give }

    /// A phase begins, of one component or of the whole store.
    func begin(
        _ phase: PointProgress.Phase, _ component: ComponentName? = nil, entries: Int? = nil,
        bytes: ByteCount? = nil
    ) {
        counted = PointProgress(
            phase: phase, component: component, entries: 0, entriesTotal: entries,
            bytes: ByteCount(0), bytesTotal: bytes)
    }

    /// One more entry of the phase is done.
    func add(bytes: UInt64) {
        counted?.entries += 1
        counted?.bytes.count &+= bytes
        if let counted { note(counted) }
    }

    /// So many more bytes of an entry that is not done; less than 0 if they are done again.
    func advance(_ bytes: Int) {
        guard let now = counted?.bytes.count else { return }
        counted?.bytes.count =
            bytes < 0 ? now - min(now, UInt64(-bytes)) : now.saturating(UInt64(bytes))
        if let counted { note(counted) }
    }

    /// The phase is over; what it came to is given in any case.
    func end() {
        if let counted { give(counted) }
        counted = nil
    }

    /// Gives `progress` if enough time has passed.
    func note(_ progress: @autoclosure () -> PointProgress) {
        let now = ContinuousClock.now
        guard now - last >= Self.every else { return }
        last = now
        give(progress())
    }

    /// Gives it in any case: the end of a phase.
    func end(_ progress: PointProgress) { give(progress) }
}
