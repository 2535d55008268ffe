/// Batches between the walk and those that read: taken in any order, given back in that of the walk.
// Proof: every use of what can change is under the monitor.
final class BatchQueue: @unchecked Sendable {
    private struct Place {
        var batch: EntryBatch
        var state: State
    }
    private enum State {
        /// Becomes `taken`.
        case waiting
        /// Becomes `done` or `failed`.
        case taken
        case done
        case failed(any Error)
    }
    private let monitor = Monitor()
    private var places: [Place] = []
    /// The number of the first of `places` since the beginning.
    private var first = 0
    private var isStopped = false

    var count: Int { monitor.look { places.count } }

    func put(_ batch: EntryBatch) {
        monitor.change {
            places.append(Place(batch: batch, state: batch.pendings.isEmpty ? .done : .waiting))
        }
    }

    /// No batch is given out any more.
    func stop() { monitor.change { isStopped = true } }

    /// A batch to read and its number; nil once it is stopped.
    func take() -> (EntryBatch, Int)? {
        monitor.wait { () -> (EntryBatch, Int)?? in
            if isStopped { return .some(nil) }
            return takeWaiting(unreadMax: .max).map { .some($0) }
        }
    }

    /// A batch that waits, if one does and its content is small.
    func takeSmall() -> (EntryBatch, Int)? {
        monitor.look { takeWaiting(unreadMax: 8 << 20) }
    }

    private func takeWaiting(unreadMax: UInt64) -> (EntryBatch, Int)? {
        for index in places.indices {
            if case .waiting = places[index].state, places[index].batch.unread <= unreadMax {
                places[index].state = .taken
                return (places[index].batch, first + index)
            }
        }
        return nil
    }

    func giveBack(_ number: Int, _ failure: (any Error)?) {
        monitor.change { places[number - first].state = failure.map { .failed($0) } ?? .done }
    }

    /// The oldest batch, if it is done; waits for it if `waiting`, and calls `tick` now and then
    /// meanwhile. Throws what its reading threw.
    func takeFirst(waiting: Bool, _ tick: () throws -> Void = {}) throws -> EntryBatch? {
        let result: Result<EntryBatch, any Error>?? =
            waiting
            ? try monitor.wait(tick) { takeDone() } : monitor.look { takeDone() }
        return try result.flatMap { try $0?.get() }
    }

    /// Nil if the first is not done yet; within that, nil if there is none.
    private func takeDone() -> Result<EntryBatch, any Error>?? {
        guard let place = places.first else { return .some(nil) }
        switch place.state {
        case .waiting, .taken: return nil
        case .failed(let error): return .failure(error)
        case .done:
            places.removeFirst()
            first += 1
            return .success(place.batch)
        }
    }
}
