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

    private let state: StateDirectory
    private let files: GuardFiles
    private var agentGoneSince: Int64?

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
        if let agent, !StepProcess.isStopped(agent) {
            agentGoneSince = nil
        } else if agentGoneSince == nil {
            agentGoneSince = HostClock.sinceBoot()
            Self.log(agent == nil ? "the agent is gone" : "the agent is stopped")
        }
    }

    /// The process that holds the agent's state, if one does.
    private var agent: Int32? {
        let lock = state.file("agent.lock")
        return FileLock.isHeld(lock) ? FileLock.holder(lock) : nil
    }

    /// Ends an agent that lives but did not act, as nothing of it may write after the restore. It
    /// finds the outcome when it is started again.
    private func endAgent() {
        guard let agent, agent > 1 else { return }
        Self.log("ending the agent, process \(agent)")
        kill(agent, SIGKILL)
        for _ in 0..<100 where FileLock.isHeld(state.file("agent.lock")) { usleep(50_000) }
    }

    private func reasonToAct(_ armed: GuardFiles.Armed) -> String? {
        guard let gone = agentGoneSince else {
            return !armed.order.holding && armed.isDue(plus: Self.grace)
                ? "nobody confirmed in time and the agent did not take the host back" : nil
        }
        let lost = HostClock.sinceBoot() - gone
        if lost >= armed.order.plan.confirmWithin.count { return "the agent is dead or stopped" }
        // A short grace: an agent that is being restarted goes on by itself.
        return !armed.order.holding && armed.isDue(plus: .zero) && lost >= Self.grace.count
            ? "nobody confirmed in time and the agent is dead or stopped" : nil
    }

    /// True once the transaction is over. False if it moved on while the lock was waited for.
    private func act(_ armed: GuardFiles.Armed, _ reason: String) async throws -> Bool {
        guard let lock = try FileLock.take(files.restoreLock, within: 5) else {
            // An agent that restores may take its time; one that was stopped at it will not end.
            if let agent, StepProcess.isStopped(agent) { endAgent() }
            return false
        }
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
        // While steps can still run in it the agent has to end. Once they are complete it only
        // waits, and sees under the lock that the guard was faster.
        if !order.complete { endAgent() }
        StepProcess.endNoted(in: state)
        if order.complete, order.policy == .commitIfValid {
            let checks = order.plan.stage(.verification).checks
            let found = await CheckRunner(root: state.rootDirectory).run(checks, context: context)
            if Verdict(asked: checks, found: found) == .pass {
                try finish(armed, .kept, reason, .zero, [:])
                return true
            }
        }
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
        for _ in 0..<3 {
            do {
                var services = HostServices(context: context)
                services.onStart = { [state] in StepProcess.note($0, in: state) }
                let store = try PointStore(
                    directory: state.file("points"), root: state.rootDirectory,
                    services: services)
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
        Self.log("\(ending.rawValue) in \(took.count) ms")
    }

    private static func log(_ text: String) {
        let line = Array("\(HostClock.now().milliseconds) guard \(getpid()): \(text)\n".utf8)
        write(1, line, line.count)
    }
}
