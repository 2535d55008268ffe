import FleetWire

/// Who orders a restore may stop it, and hears when the components begin to change.
package struct RestoreWatch: Sendable {
    /// Asked between entries that are written; true ends the restore there.
    package var isStopped: @Sendable () -> Bool = { false }
    /// Called before the first change of a component; what was written until then stands beside.
    package var willChange: @Sendable () -> Void = {}
    /// One that never stops it.
    package init() {}
}

/// Counts what a restore does and tells it at a bounded rate.
final class RestoreReport {
    private let tell: (PointProgress) -> Void
    private var state: PointProgress?
    private var last = ContinuousClock.now
    /// Between two reports of a phase.
    private static let interval = Duration.milliseconds(100)

    private let watch: RestoreWatch

    init(_ tell: @escaping (PointProgress) -> Void, _ watch: RestoreWatch = RestoreWatch()) {
        self.tell = tell
        self.watch = watch
    }

    /// Throws if the restore is to stop here, where it can be run again.
    func check() throws {
        guard watch.isStopped() else { return }
        throw PointError(
            "restore", "the point", "it was stopped", "run it again, or restore another point")
    }

    /// Everything stands beside; what follows changes the components.
    func willChange() throws {
        try check()
        watch.willChange()
    }

    /// A phase of a component begins.
    func begin(
        _ phase: PointProgress.Phase, _ component: ComponentName, entries: Int?,
        bytes: UInt64? = nil
    ) {
        state = PointProgress(
            phase: phase, component: component, entries: 0, entriesTotal: entries,
            bytes: ByteCount(0), bytesTotal: bytes.map { ByteCount($0) })
    }

    /// One more entry of it is done.
    func add(_ bytes: UInt64) {
        guard var state else { return }
        state.entries += 1
        state.bytes = ByteCount(state.bytes.count &+ bytes)
        self.state = state
        // The clock is asked now and then only: entries are many.
        guard state.entries & 63 == 0, last.duration(to: .now) >= Self.interval else { return }
        last = .now
        tell(state)
    }

    /// What was begun for `component` before is done.
    func finish(
        _ phase: PointProgress.Phase, _ component: ComponentName, entries: Int, bytes: UInt64
    ) {
        tell(
            PointProgress(
                phase: phase, component: component, entries: entries, entriesTotal: entries,
                bytes: ByteCount(bytes), bytesTotal: ByteCount(bytes)))
    }

    /// It is over.
    func end() {
        if let state { tell(state) }
        state = nil
    }
}
