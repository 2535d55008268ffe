import FleetWire

/// Gives progress at a bounded rate. Of one thread.
final class ProgressMeter {
    private static let every = Duration.milliseconds(100)
    private let give: (PointProgress) -> Void
    private var last = ContinuousClock.now

    init(_ give: @escaping (PointProgress) -> Void) { self.give = give }

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
