import Foundation

/// A library that, loaded before all others, gives a process a wall clock that is off by
/// `WRONG_CLOCK_SECONDS`; its monotonic clocks stay right.
struct WrongClock {
    /// The compiler that comes with Swift.
    static let compiler: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
        .split(separator: ":").map { $0 + "/clang" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private static let source = """
        #define _GNU_SOURCE
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static long off(void) {
            const char *text = getenv("WRONG_CLOCK_SECONDS");
            return text ? atol(text) : 0;
        }
        int clock_gettime(clockid_t clock, struct timespec *now) {
            int code = (int)syscall(SYS_clock_gettime, clock, now);
            if (code == 0 && clock == CLOCK_REALTIME) now->tv_sec += off();
            return code;
        }
        int gettimeofday(struct timeval *now, void *zone) {
            struct timespec precise;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
            now->tv_sec = precise.tv_sec;
            now->tv_usec = precise.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *now) {
            struct timespec precise;
            if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
            if (now) *now = precise.tv_sec;
            return precise.tv_sec;
        }
        """

    private let library: String

    init(in folder: URL) async throws {
        library = folder.appendingPathComponent("wrong-clock.so").path
        let text = folder.appendingPathComponent("wrong-clock.c")
        try Data(Self.source.utf8).write(to: text)
        let made = try await ChildProcess.run(
            Self.compiler ?? "", ["-shared", "-fPIC", "-O1", "-o", library, text.path])
        guard made.status == 0 else { throw Trouble(made.summary) }
    }

    /// The environment of a process whose clock is off by so much.
    func environment(seconds: Int) -> [String: String] {
        ["LD_PRELOAD": library, "WRONG_CLOCK_SECONDS": "\(seconds)"]
    }
}
