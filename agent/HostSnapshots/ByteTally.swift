import Synchronization

/// Bytes that several threads read or write, for the progress that one of them tells.
final class ByteTally: Sendable {
    private let sum = Atomic<Int>(0)

    /// What was added and neither subtracted nor taken.
    var bytes: UInt64 { UInt64(max(0, sum.load(ordering: .relaxed))) }

    /// Adds `count`, which is negative for what is done again.
    func add(_ count: Int) { sum.add(count, ordering: .relaxed) }

    /// What there is, which is 0 then.
    func take() -> Int { sum.exchange(0, ordering: .relaxed) }
}
