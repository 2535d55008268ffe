import FleetWire

/// Who orders a restore may stop it, and hears when the components begin to change.
package struct RestoreWatch: Sendable {
    /// Asked, on any thread, between entries and chunks that are written; true ends the restore
    /// there.
    package var isStopped: @Sendable () -> Bool = { false }
    /// Called before the first change of a component; what was written until then stands beside.
    package var willChange: @Sendable () -> Void = {}
    /// One that never stops it.
    package init() {}
}

/// Tells what a restore does, and where it is to stop.
final class RestoreReport {
    private let meter: ProgressMeter
    let watch: RestoreWatch

    init(_ tell: @escaping (PointProgress) -> Void, _ watch: RestoreWatch = RestoreWatch()) {
        meter = ProgressMeter(tell)
        self.watch = watch
    }

    /// Throws if the restore is to stop here, where it can be run again.
    func check() throws { try Self.check(watch) }

    /// The same, on any thread.
    static func check(_ watch: RestoreWatch) throws {
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
        meter.begin(phase, component, entries: entries, bytes: bytes.map { ByteCount($0) })
    }

    /// One more entry of it is done.
    func add(_ bytes: UInt64) { meter.add(bytes: bytes) }

    /// So many more bytes of an entry that is not done.
    func advance(_ bytes: Int) { meter.advance(bytes) }

    /// The same of what is in `tally`. Throws if the restore is to stop.
    func advance(_ tally: ByteTally) throws {
        meter.advance(tally.take())
        try check()
    }

    /// What was begun for `component` before is done.
    func finish(
        _ phase: PointProgress.Phase, _ component: ComponentName, entries: Int, bytes: UInt64
    ) {
        meter.end(
            PointProgress(
                phase: phase, component: component, entries: entries, entriesTotal: entries,
                bytes: ByteCount(bytes), bytesTotal: ByteCount(bytes)))
    }

    /// It is over.
    func end() { meter.end() }
}
