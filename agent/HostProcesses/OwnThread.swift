import Glibc
import Synchronization

/// Runs blocking work on a thread of its own, so that no thread of the pool is held.
package enum OwnThread {
    /// Tells blocking work that nobody waits for it any more.
    package final class Cancellation: Sendable {
        private let flag = Atomic<Bool>(false)
        /// Not cancelled yet.
        package init() {}
        /// True once it was cancelled.
        package var isCancelled: Bool { flag.load(ordering: .acquiring) }
        /// Cancels.
        package func cancel() { flag.store(true, ordering: .releasing) }
    }

    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` to its end on a new thread. Cancelling the task only raises the flag: `body`
    /// has to look at it.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable (Cancellation) -> Value
    ) async -> Value {
        let cancellation = Cancellation()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                start(Work { continuation.resume(returning: body(cancellation)) })
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    static func start(_ work: Work) {
        var thread = pthread_t()
        let pointer = Unmanaged.passRetained(work).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, pointer)
        if code == 0 {
            pthread_detach(thread)
        } else {
            // Out of threads: slower, but done.
            Unmanaged<Work>.fromOpaque(pointer).release()
            work.body()
        }
    }
}
