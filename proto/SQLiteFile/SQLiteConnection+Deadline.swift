import CSQLite

extension SQLiteConnection {
    private struct Limit {
        let deadline: ContinuousClock.Instant
        let isCancelled: () -> Bool
    }

    /// Runs `body`; a statement of it that is still at work after `deadline`, or once `isCancelled`
    /// says so, is interrupted and throws `SQLiteError` with code 9.
    package func until<Result, Failure: Error>(
        _ deadline: ContinuousClock.Instant, or isCancelled: @escaping () -> Bool = { false },
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let place = UnsafeMutablePointer<Limit>.allocate(capacity: 1)
        place.initialize(to: Limit(deadline: deadline, isCancelled: isCancelled))
        sqlite3_progress_handler(
            handle, 2000,
            { pointer in
                guard let pointer else { return 0 }
                let limit = pointer.assumingMemoryBound(to: Limit.self).pointee
                return limit.isCancelled() || ContinuousClock.now >= limit.deadline ? 1 : 0
            }, place)
        defer {
            sqlite3_progress_handler(handle, 0, nil, nil)
            place.deinitialize(count: 1)
            place.deallocate()
        }
        return try body()
    }
}
