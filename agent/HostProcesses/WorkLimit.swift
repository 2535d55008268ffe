package import FleetWire

/// How long work on a thread of its own may go on: until a deadline, or until nobody wants it.
package struct WorkLimit: Sendable {
    /// When it must have ended.
    package let deadline: ContinuousClock.Instant
    /// Raised when nobody waits for it any more.
    package let cancellation: OwnThread.Cancellation

    /// A limit of these parts.
    package init(
        deadline: ContinuousClock.Instant,
        cancellation: OwnThread.Cancellation = OwnThread.Cancellation()
    ) {
        self.deadline = deadline
        self.cancellation = cancellation
    }

    /// True once the work must end.
    package var isOver: Bool { cancellation.isCancelled || ContinuousClock.now >= deadline }

    /// The time until the deadline, at least 0.
    package var left: Milliseconds {
        let (seconds, attoseconds) = (deadline - ContinuousClock.now).components
        return max(.zero, Milliseconds(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
