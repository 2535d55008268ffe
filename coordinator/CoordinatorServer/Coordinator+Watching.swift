package import FleetWire
package import OperatorAPI
package import RolloutCore
import StateStore
import Synchronization

/// Resumes one waiter at most once, whoever comes first: the change, the clock or cancellation.
final class Waiter: Sendable {
    private struct State {
        var isDone = false
        var continuation: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if !state.isDone { state.continuation = continuation }
                    return state.isDone
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    func wake() {
        let continuation = state.withLock { state in
            state.isDone = true
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }
}

extension Coordinator {
    /// Waits until something became durable, `deadline` passes, or the caller is cancelled.
    /// False once the deadline has passed or the coordinator stopped.
    private func change(before deadline: ContinuousClock.Instant) async throws -> Bool {
        try Task.checkCancellation()
        guard ContinuousClock.now < deadline, !hasStopped else { return false }
        watcherCount += 1
        let number = watcherCount
        let waiter = Waiter()
        watchers[number] = waiter
        defer { watchers[number] = nil }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                waiter.wake()
            }
            group.addTask { await waiter.wait() }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
        return true
    }

    func wakeWatchers() {
        for waiter in watchers.values { waiter.wake() }
        watchers = [:]
    }

    /// The rollout once it moved past `after`, or as it is when `wait` is over.
    /// Throws `APIFailure` for an unknown one, `CancellationError` when nobody waits any more.
    package func view(
        of id: RolloutID, after: UInt64?, wait: Milliseconds
    ) async throws -> RolloutView {
        let deadline = ContinuousClock.now + min(wait, CoordinatorLimits.pollMax).duration
        while let after, let last = lastSequence(of: id), last <= after {
            guard try await change(before: deadline) else { break }
        }
        return try await view(of: id)
    }

    private func lastSequence(of id: RolloutID) -> UInt64? {
        rollouts[id]?.lastSequence ?? ended[id]?.summary.sequence
    }

    /// The rollout as it is. Throws `APIFailure` for an unknown one.
    package func view(of id: RolloutID) async throws -> RolloutView {
        let (machine, sequence) = try await machine(of: id)
        guard var view = machine.view(now: clock()) else { throw Self.unknown(id) }
        view.sequence = sequence
        if let queued = queueWhy(of: id) { view.why = queued }
        if !machine.isFinished, let stale = staleness(of: view, host: nil) { view.why = stale }
        return view
    }

    /// Lines of the journal after `after`; waits for the first one at most `wait`. A viewer does not
    /// see the values of variables and of steps' environments.
    package func events(
        after: UInt64, stream: String?, limit: Int, wait: Milliseconds, role: AccessRole
    ) async throws -> [EventLine] {
        let deadline = ContinuousClock.now + min(wait, CoordinatorLimits.pollMax).duration
        let most = max(1, min(limit, CoordinatorLimits.eventsMax))
        while true {
            let records = try await store.records(after: after, stream: stream, limit: most)
            if !records.isEmpty {
                return records.map { record in
                    EventLine(
                        sequence: record.sequence, at: record.content.at,
                        actor: record.content.actor, stream: record.content.stream,
                        kind: record.content.kind, event: FleetEvent.shown(record.content, to: role)
                    )
                }
            }
            guard try await change(before: deadline) else { return [] }
        }
    }
}
