import Glibc

/// A lock with a condition on which its holders can wait.
// Proof: the two are used through their own functions alone, which may be called by any thread.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        defer { pthread_condattr_destroy(&attributes) }
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` alone; whoever waits looks again afterwards.
    func change<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body()
    }

    /// Runs `body` alone; nobody is told.
    func look<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Runs `body` alone until it gives a value; waits for a change each time that it gives none.
    func wait<Result>(_ body: () -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body() { return result }
            pthread_cond_wait(condition, mutex)
        }
    }
}

extension Monitor {
    /// How often who waits looks up.
    private static let tickNanoseconds = 100_000_000

    /// The same, with `tick` called about ten times a second while it waits, not under the lock.
    func wait<Result>(_ tick: () throws -> Void, _ body: () -> Result?) rethrows -> Result {
        while true {
            if let result = waitABit(body) { return result }
            try tick()
        }
    }

    private func waitABit<Result>(_ body: () -> Result?) -> Result? {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        until.tv_nsec += Self.tickNanoseconds
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body() { return result }
            guard pthread_cond_timedwait(condition, mutex, &until) == 0 else {
                return body()
            }
        }
    }
}

/// A thread that runs one function; who starts it joins it.
final class Worker {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
    private var thread = pthread_t()

    /// Nil if the system gives no thread: then the work is done by those that there are.
    init?(_ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body))
        let code = pthread_create(&thread, nil, Self.run, work.toOpaque())
        guard code == 0 else {
            work.release()
            return nil
        }
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        {
            guard let pointer = $0 else { return nil }
            Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
            return nil
        }

    /// Waits until its function has returned.
    func join() { pthread_join(thread, nil) }
}
