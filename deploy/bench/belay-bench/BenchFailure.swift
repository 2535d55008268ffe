import Glibc

/// Why a benchmark cannot go on: what was attempted, on what, and why it failed.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A system call that failed; read `errno` before anything else does.
    static func system(_ attempt: String, _ path: String, _ code: Int32) -> BenchFailure {
        BenchFailure("cannot \(attempt) \(path): \(String(cString: strerror(code)))")
    }
}
