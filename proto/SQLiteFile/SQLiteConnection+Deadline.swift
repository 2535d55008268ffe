import CSQLite

extension SQLiteConnection {
    /// Runs `body`; a statement of it that is still at work after `deadline` is interrupted and
    /// throws `SQLiteError` with code 9.
    package func until<Result, Failure: Error>(
        _ deadline: ContinuousClock.Instant, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let place = UnsafeMutablePointer<ContinuousClock.Instant>.allocate(capacity: 1)
        place.initialize(to: deadline)
        sqlite3_progress_handler(
            handle, 2000,
            { pointer in
                guard let pointer else { return 0 }
                let deadline = pointer.assumingMemoryBound(to: ContinuousClock.Instant.self)
                return ContinuousClock.now >= deadline.pointee ? 1 : 0
            }, place)
        defer {
            sqlite3_progress_handler(handle, 0, nil, nil)
            place.deinitialize(count: 1)
            place.deallocate()
        }
        return try body()
    }
}
