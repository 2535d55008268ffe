import CLinux
import Glibc

/// Runs work where it disturbs nobody: on a thread of its own at nice 19 and in the idle class of
/// I/O. A thread cannot get its old priority back without privileges, so it ends with the work.
enum IdleThread {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs `body` to its end and returns then. Where no thread can be had it runs here.
    static func run<Value>(_ body: () throws -> Value) throws -> Value {
        var result: Result<Value, any Error>?
        withoutActuallyEscaping(body) { body in
            let work = Work {
                _ = belay_io_idle()
                _ = belay_nice_idle()
                result = Result { try body() }
            }
            var thread = pthread_t()
            let pointer = Unmanaged.passUnretained(work).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { pointer in
                    guard let pointer else { return nil }
                    Unmanaged<Work>.fromOpaque(pointer).takeUnretainedValue().body()
                    return nil
                }, pointer)
            if code == 0 {
                // The caller sleeps until then, so the two never touch anything at the same time.
                pthread_join(thread, nil)
            }
            withExtendedLifetime(work) {}
        }
        return try result.map { try $0.get() } ?? body()
    }
}
