package import AgentCore
package import FleetWire
import Glibc

/// What agent and guard tell each other by files below `guard/`; docs/reference/host-transaction.md
/// gives the order of their writes. Whoever restores holds `restore.lock`.
package struct GuardFiles: Sendable {
    /// `armed.json`.
    package struct Armed: Codable, Sendable, Hashable {
        /// What the guard has to do.
        package var order: GuardOrder
        /// The host, for templates.
        package var host: HostID
        /// The start of the machine in which `dueSinceBoot` counts.
        package var boot: String
        /// The deadline in milliseconds since that start.
        package var dueSinceBoot: Int64

        /// True at or after the deadline, whatever was done to the wall clock. After another start
        /// of the machine (`boot` differs) only the wall clock is left to go by.
        package func isDue(
            plus grace: Milliseconds, boot: String = HostClock.boot(),
            sinceBoot: Int64 = HostClock.sinceBoot(), now: Timestamp = HostClock.now()
        ) -> Bool {
            boot == self.boot
                ? sinceBoot >= dueSinceBoot + grace.count : now >= order.deadline + grace
        }
    }

    /// `closed.json`: the transaction needs no guard any more.
    struct Closed: Codable, Hashable {
        var rollout: RolloutID
        var attempt: Int
    }

    let state: StateDirectory

    /// The guard's files of a state directory.
    package init(_ state: StateDirectory) { self.state = state }

    var restoreLock: String { state.file("guard/restore.lock") }
    var watchLock: String { state.file("guard/watching.lock") }

    /// The order that stands armed.
    package var armed: Armed? { state.value(Armed.self, in: "guard/armed.json") }
    /// What the guard did and no agent has read yet.
    package var outcome: GuardOutcome? {
        state.value(GuardOutcome.self, in: "guard/outcome.json")
    }
    /// True while a guard process watches.
    package var isWatching: Bool { FileLock.isHeld(watchLock) }

    /// Writes the order durably.
    func write(_ order: GuardOrder, host: HostID) throws {
        let armed = Armed(
            order: order, host: host, boot: HostClock.boot(),
            dueSinceBoot: HostClock.sinceBoot() + order.within.count)
        try state.write(try WireJSON.encode(armed), to: "guard/armed.json")
    }

    /// True if the armed transaction was closed.
    func isClosed(_ order: GuardOrder) -> Bool {
        state.value(Closed.self, in: "guard/closed.json")
            == Closed(rollout: order.plan.rollout, attempt: order.attempt)
    }

    /// Says durably that the transaction needs no guard; the caller holds `restore.lock`.
    func close(_ rollout: RolloutID, _ attempt: Int) throws {
        try state.write(
            try WireJSON.encode(Closed(rollout: rollout, attempt: attempt)),
            to: "guard/closed.json")
    }

    func write(_ outcome: GuardOutcome) throws {
        try state.write(try WireJSON.encode(outcome), to: "guard/outcome.json")
    }

    /// The outcome of this transaction, if the guard was faster.
    func outcome(of rollout: RolloutID, _ attempt: Int) -> GuardOutcome? {
        guard let outcome, outcome.rollout == rollout, outcome.attempt == attempt else {
            return nil
        }
        return outcome
    }

    /// The agent took the outcome over durably.
    func forgetOutcome() {
        rename(state.file("guard/outcome.json"), state.file("guard/outcome-read.json"))
    }
}
