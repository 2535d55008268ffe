import AgentCore
import FleetWire
import Glibc
import HostProcesses
import HostSnapshots
import HostSteps
import HostValidators

/// What the guard process does: it watches one armed transaction until it is closed, and takes the
/// host back when nobody does.
package final class GuardWatch {
    /// An agent that lives gets this long after the deadline to take the host back itself.
    private static let grace = Milliseconds.seconds(5)
    private static let pollMicroseconds: UInt32 = 100_000
    /// Polls between two looks at whether the agent runs.
    private static let pollsALook = 10
    /// An agent that did not run in this many looks, one a second, counts as dead.
    private static let stillLooks = 10

    private let state: StateDirectory
    private let files: GuardFiles
    private var agentGoneSince: Int64?
    private var pulse = ProcessPulse()
    private var polls = 0
    /// An agent that holds its lock and stands still.
    private var frozen: Int32?

    /// A guard over the state.
    package init(_ state: StateDirectory) {
        self.state = state
        files = GuardFiles(state)
    }

    /// Watches to the end. Returns once the transaction was closed or taken back; throws when it
    /// cannot watch at all.
    package func run() async throws {
        signal(SIGHUP, SIG_IGN)
        guard let lock = try FileLock.take(files.watchLock, within: 2) else {
            Self.log("another guard watches already")
            return
        }
        defer { withExtendedLifetime(lock) {} }
        Self.log("watching")
        while let armed = files.armed {
            if files.isClosed(armed.order) {
                Self.log("closed: \(armed.order.plan.rollout)")
                return
            }
            noteAgent()
            if let reason = reasonToAct(armed) {
                if try await act(armed, reason) { return }
            }
            usleep(Self.pollMicroseconds)
        }
        Self.log("nothing is armed")
    }

    private func noteAgent() {
        let path = state.file("agent.lock")
        guard FileLock.isHeld(path) else {
            frozen = nil
            gone("the agent is gone")
            return
        }
        polls += 1
        if polls % Self.pollsALook == 0 {
            let agent = FileLock.holder(path)
            let looks = agent.map { pulse.look(at: $0) } ?? 0
            frozen = looks >= Self.stillLooks ? agent : nil
        }
        if let frozen {
            gone("the agent, process \(frozen), stands still")
        } else {
            agentGoneSince = nil
        }
    }

    private func gone(_ how: String) {
        guard agentGoneSince == nil else { return }
        agentGoneSince = HostClock.sinceBoot()
        Self.log(how)
    }

    /// Ends an agent that stands still: woken up later it would go on where it was, in a host that
    /// was taken back, and it may hold the lock under which that is done. False if it cannot be
    /// ended now.
    private func fence() throws -> Bool {
        // A deadline can be over before enough looks were taken to call an agent frozen.
        let holder = FileLock.holder(state.file("agent.lock"))
        let stopped = holder.flatMap { ProcessPulse.isStopped($0) ? $0 : nil }
        guard let still = frozen ?? stopped else { return true }
        Self.log("ending the agent that stands still, process \(still)")
        kill(still, SIGKILL)
        // From here on no agent can begin while this process restores: it waits for `restore.lock`.
        guard let lock = try FileLock.take(state.file("agent.lock"), within: 5) else {
            return false
        }
        withExtendedLifetime(lock) {}
        self.frozen = nil
        return true
    }

    private func reasonToAct(_ armed: GuardFiles.Armed) -> String? {
        guard let gone = agentGoneSince else {
            return !armed.order.holding && armed.isDue(plus: Self.grace)
                ? "nobody confirmed in time and the agent did not take the host back" : nil
        }
        let lost = HostClock.sinceBoot() - gone
        if lost >= armed.order.plan.confirmWithin.count { return "the agent is dead" }
        // A short grace: an agent that is being restarted goes on by itself.
        return !armed.order.holding && armed.isDue(plus: .zero) && lost >= Self.grace.count
            ? "nobody confirmed in time and the agent is dead" : nil
    }

    /// True once the transaction is over. False if it moved on while the lock was waited for.
    private func act(_ armed: GuardFiles.Armed, _ reason: String) async throws -> Bool {
        guard try fence() else { return false }
        guard let lock = try FileLock.take(files.restoreLock, within: 600) else { return false }
        defer { withExtendedLifetime(lock) {} }
        guard let current = files.armed, current == armed, !files.isClosed(armed.order) else {
            return false
        }
        if files.outcome(of: armed.order.plan.rollout, armed.order.attempt) != nil { return true }
        Self.log("acting: \(reason)")
        let order = armed.order
        let context = TemplateContext(
            root: state.root, host: armed.host, labels: order.plan.labels,
            facts: HostFacts.gather(), variables: order.plan.variables)
        if order.complete, order.policy == .commitIfValid {
            let checks = order.plan.stage(.verification).checks
            let found = await CheckRunner(root: state.rootDirectory).run(checks, context: context)
            if Verdict(asked: checks, found: found) == .pass {
                try finish(armed, .kept, reason, .zero, [:])
                return true
            }
        }
        ProcessGroups(state).end()
        let lines = await Evidence(state: state, context: context, plan: order.plan)
            .gather(reason, lastStep: nil)
        restore(armed, reason, context, evidence: lines)
        return true
    }

    private func restore(
        _ armed: GuardFiles.Armed, _ reason: String, _ context: TemplateContext,
        evidence: [String: String]
    ) {
        let start = HostClock.sinceBoot()
        var failure = ""
        StepLeftovers(root: state.rootDirectory, context: context).remove(of: armed.order.plan)
        for _ in 0..<3 {
            do {
                let store = try PointStore(
                    directory: state.file("points"), root: state.rootDirectory,
                    services: HostServices(context: context))
                let summary = try store.restore(point: armed.order.point)
                try finish(armed, .rolledBack, reason, summary.took, evidence)
                return
            } catch {
                failure = "\(error)"
                Self.log("the restore failed: \(failure)")
                sleep(1)
            }
        }
        let took = Milliseconds(HostClock.sinceBoot() - start)
        do {
            try finish(armed, .rollbackFailed, "\(reason); \(failure)", took, evidence)
        } catch {
            Self.log("the outcome cannot be written: \(error)")
        }
    }

    private func finish(
        _ armed: GuardFiles.Armed, _ ending: GuardOutcome.Ending, _ reason: String,
        _ took: Milliseconds, _ evidence: [String: String]
    ) throws {
        try files.write(
            GuardOutcome(
                rollout: armed.order.plan.rollout, attempt: armed.order.attempt, ending: ending,
                reason: reason, took: took, at: HostClock.now(), evidence: evidence))
        Self.log("\(ending.rawValue) in \(took.text)")
    }

    private static func log(_ text: String) {
        let line = Array("\(HostClock.now().milliseconds) guard \(getpid()): \(text)\n".utf8)
        write(1, line, line.count)
    }
}
