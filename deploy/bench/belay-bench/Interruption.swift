import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP end the program that is being timed and then this one, in order, so
/// that nothing stays mounted.
enum Interruption {
    private static let received = Atomic<Int32>(0)
    private static let child = Atomic<pid_t>(0)

    /// From here on the three signals are noted.
    static func watch() {
        var action = sigaction()
        // Both calls are safe in a handler: an atomic store, and kill.
        action.__sigaction_handler.sa_handler = { number in
            Interruption.received.store(number, ordering: .sequentiallyConsistent)
            let child = Interruption.child.load(ordering: .sequentiallyConsistent)
            if child > 0 { kill(-child, SIGTERM) }
        }
        // Without SA_RESTART a wait returns.
        action.sa_flags = 0
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaction(number, &action, nil) }
        signal(SIGPIPE, SIG_IGN)
    }

    /// The signal that came, 0 if none did.
    static var signalNumber: Int32 { received.load(ordering: .sequentiallyConsistent) }

    /// Throws `Interrupted` once a signal came.
    static func check() throws {
        let number = signalNumber
        if number != 0 { throw Interrupted(signalNumber: number) }
    }

    /// Notes the group that a signal ends; 0 for none. A signal that came before is passed on.
    static func concern(_ group: pid_t) {
        child.store(group, ordering: .sequentiallyConsistent)
        if group > 0, signalNumber != 0 { kill(-group, SIGTERM) }
    }
}

/// A signal asked the benchmark to end.
struct Interrupted: Error {
    let signalNumber: Int32
}
