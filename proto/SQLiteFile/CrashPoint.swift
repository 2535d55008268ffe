import Glibc
import Synchronization

/// Places at which a test lets a daemon die, just before and just after each write of its journal.
/// Only debug builds have them: there `BELAY_CRASH_AT=NAME:N` kills the process as it comes to the
/// place of that name for the Nth time.
package enum CrashPoint: String, CaseIterable, Sendable {
    /// The coordinator: a batch of records.
    case appendBefore = "append.before"
    case appendAfter = "append.after"
    /// The coordinator: a checkpoint.
    case checkpointBefore = "checkpoint.before"
    case checkpointAfter = "checkpoint.after"
    /// The coordinator: its generation.
    case termBefore = "term.before"
    case termAfter = "term.after"
    /// The agent: an event, and the machine's state after it.
    case recordBefore = "record.before"
    case recordAfter = "record.after"

    /// Dies here if a test wants it.
    package func pass() {
        #if DEBUG
            guard let wanted = Self.wanted, wanted.point == self,
                Self.passed.add(1, ordering: .relaxed).newValue == wanted.time
            else { return }
            kill(getpid(), SIGKILL)
        #endif
    }

    #if DEBUG
        private static let passed = Atomic<Int>(0)
        private static let wanted: (point: CrashPoint, time: Int)? = {
            let text = getenv("BELAY_CRASH_AT").map { String(cString: $0) } ?? ""
            let parts = text.split(separator: ":")
            guard parts.count == 2, let point = CrashPoint(rawValue: String(parts[0])),
                let time = Int(parts[1])
            else { return nil }
            return (point, time)
        }()
    #endif
}
