import AgentCore
import FleetWire
import HostProcesses
import HostSnapshots
import Synchronization

/// Restores that belong to no rollout.
extension HostHands {
    /// Captures all that the restore's point holds, as it is now.
    func save(before wanted: HostRestore) async throws -> PointSummary {
        let plan = await agent.plan(of: wanted.rollout)
        let updates = await agent.restoreUpdates
        return try await onThread { cancellation in
            let work = PointWork(
                store: try store(plan), inUse: [:], damaged: [], root: state.rootDirectory,
                updates: updates, cancellation: cancellation)
            return try work.capture(
                wanted.held, reason: "before restore of \(wanted.point)", rollout: wanted.rollout)
        }
    }

    /// Restores under the lock that the guard takes too.
    func restore(_ wanted: HostRestore) async throws -> WorkResult {
        let plan = await agent.plan(of: wanted.rollout)
        let updates = await agent.restoreUpdates
        return try await onThread { cancellation in
            guard let lock = try FileLock.take(files.restoreLock, within: 900) else {
                return .problem("the guard has been restoring this host for 15 minutes")
            }
            defer { withExtendedLifetime(lock) {} }
            let hasBegun = Flag()
            let start = HostClock.sinceBoot()
            do {
                var store = try store(plan)
                store.watch.isStopped = { cancellation.isCancelled }
                store.watch.willChange = { hasBegun.raise() }
                let summary = try store.restore(
                    point: wanted.point, components: Set(wanted.chosen),
                    progress: updates.progress)
                return .restoredPoint(
                    changed: summary.changed, removed: summary.removed, took: summary.took)
            } catch {
                guard hasBegun.isRaised else { return .problem(shown(error)) }
                return .notRestored(
                    shown(error), took: Milliseconds(HostClock.sinceBoot() - start))
            }
        }
    }

    /// Runs `body` on a thread of its own: it may take long, and others must not wait for it.
    func onThread<Result: Sendable>(
        _ body: @escaping @Sendable (OwnThread.Cancellation) throws -> Result
    ) async throws -> Result {
        try await OwnThread.run { cancellation in Swift.Result { try body(cancellation) } }.get()
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isRaised: Bool { value.load(ordering: .relaxed) }
        func raise() { value.store(true, ordering: .relaxed) }
    }
}
