import AgentCore
import FleetWire
import HostProcesses
import HostSnapshots

/// Rollback points as the coordinator and operators on the host ask for them.
extension Agent {
    /// Requests that may be worked on at a time; each holds a thread and reads the disk.
    private static let pointRequestsMax = 4

    /// Carries out a request on points. Throws `Refusal` for what it lacks or what stands in its
    /// way, and `PointError` where the store or the host fails it.
    func points(
        _ request: PointRequest, by actor: RollbackActor, _ updates: ControlUpdates
    ) async throws -> PointReply {
        if request.action == .restore, request.dryRun != true {
            return try await restore(request, by: actor, updates)
        }
        var plan: HostPlan?
        var request = request
        if request.action == .create, request.components == nil {
            guard let newest = machine.transactions.last?.plan else {
                throw Refusal(
                    code: "invalid", reason: "no rollout has told this host its components",
                    remedy: "name paths, or give a file with a JSON array of components")
            }
            plan = newest
            request.components = newest.components
        }
        let asked = request
        let reply = try await work(plan, updates) { try $0.carry(asked) }
        heed(asked, reply)
        return reply
    }

    /// Runs `body` on a thread of its own, so that what an operator asks never holds up a rollout.
    func work<Result: Sendable>(
        _ plan: HostPlan?, _ updates: ControlUpdates,
        _ body: @escaping @Sendable (PointWork) throws -> Result
    ) async throws -> Result {
        guard pointRequests < Self.pointRequestsMax else {
            throw Refusal(
                code: "busy", reason: "\(pointRequests) requests on points are under way",
                remedy: "wait for the end of one")
        }
        pointRequests += 1
        defer { pointRequests -= 1 }
        let hands = HostHands(self)
        let (inUse, damaged) = (pointsInUse, health.damagedPoints)
        // An agent that stops waits for no capture.
        let outcome = await withTaskCancellationHandler {
            await OwnThread.run { _ in
                Swift.Result {
                    let store = try hands.store(plan)
                    return try body(
                        PointWork(
                            store: store, inUse: inUse, damaged: damaged,
                            root: hands.state.rootDirectory, updates: updates))
                }
            }
        } onCancel: {
            updates.stop(.gone)
        }
        return try outcome.get()
    }

    /// Why points may not be pruned, by their ids.
    var pointsInUse: [PointID: String] {
        var inUse: [PointID: String] = [:]
        for half in machine.halfRestored {
            inUse[half.point] = "half restored"
            if let before = half.before { inUse[before] = "state before a half done restore" }
        }
        if let restore = machine.restore, restore.isOpen {
            inUse[restore.point] = "restore under way"
            if let before = restore.before { inUse[before] = "restore under way" }
        }
        if let armed = files.armed?.order, !files.isClosed(armed) {
            inUse[armed.point] = "armed guard"
        }
        for transaction in machine.transactions where transaction.isOpen {
            for point in transaction.pointsInUse {
                inUse[point] = "open rollout \(transaction.plan.rollout)"
            }
        }
        return inUse
    }

    // MARK: - Restoring

    private struct Wanted: Sendable {
        var point: PointSummary
        var held: [ComponentSpec]
        var chosen: [ComponentName]
    }

    private func restore(
        _ request: PointRequest, by actor: RollbackActor, _ updates: ControlUpdates
    ) async throws -> PointReply {
        if let obstacle = machine.obstacleToRestore { throw obstacle }
        let wanted = try await work(nil, updates) { work in
            let point = try work.point(request.point)
            let held = try work.store.components(of: point.id)
            return Wanted(
                point: point, held: held, chosen: try request.choice(of: held, point.id))
        }
        let begun = HostRestore(
            point: wanted.point.id, rollout: wanted.point.rollout, held: wanted.held,
            chosen: wanted.chosen, by: actor, reason: request.reason ?? "by hand",
            noCapture: request.noCapture ?? false)
        // Nothing may come between the look and the event.
        if let obstacle = machine.obstacleToRestore { throw obstacle }
        let earlier = machine.restore?.number
        restoreUpdates = updates
        handle(.restore(begun))
        guard let restore = machine.restore, restore.number != earlier else {
            throw Refusal(
                code: "journal_unwritable", reason: "the agent's journal cannot be written",
                remedy: "free space on the file system of \(state.path)")
        }
        await waitForRestore(restore.number, updates)
        return try reply(to: restore.number, wanted.point)
    }

    /// Waits until no restore is under way.
    func waitForRestore() async {
        guard machine.restore?.isOpen == true else { return }
        let (ended, end) = AsyncStream<Void>.makeStream()
        restoreWaiters.append(end)
        for await _ in ended {}
    }

    /// Waits until the restore of this number has ended, or this task is cancelled.
    private func waitForRestore(_ number: UInt64, _ updates: ControlUpdates) async {
        let (ended, end) = AsyncStream<Void>.makeStream()
        restoreWaiters.append(end)
        if machine.restore?.isOpen != true { end.finish() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in ended {} }
            group.addTask {
                // Who is gone has not said that the host shall stay half restored.
                for await stop in updates.stops where stop == .asked {
                    await self.stopRestore(number)
                }
                // The stream of stops ends with the task only.
                for await _ in ended {}
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func stopRestore(_ number: UInt64) {
        if machine.restore?.number == number { handle(.stopRestore) }
    }

    private func reply(to number: UInt64, _ point: PointSummary) throws -> PointReply {
        guard let restore = machine.restore, restore.number == number else {
            throw Refusal(code: "failed", reason: "another restore has followed this one")
        }
        switch restore.phase {
        case .saving, .restoring, .pausing:
            throw Refusal(
                code: "failed",
                reason: "the agent stops in the middle; it goes on with the restore at its start")
        case .refused(let reason):
            throw Refusal(code: "failed", reason: reason, remedy: "nothing was changed")
        case .failed(let reason):
            let back = restore.before.map { ", or go back with `point restore \($0)`" } ?? ""
            throw Refusal(
                code: "half_restored", reason: "the host is half restored: \(reason)",
                remedy: "restore \(restore.point) again\(back)")
        case .done(let changed, let removed, let took):
            var reply = PointReply(points: [point])
            reply.restore = RestoreReply(
                point: restore.point, before: restore.before, components: restore.chosen,
                changed: changed, removed: removed, took: took)
            return reply
        }
    }
}

extension PointRequest {
    /// The names of the components of `held` that are asked for. Throws `Refusal` if none is, or if
    /// one is named that the point does not hold.
    func choice(of held: [ComponentSpec], _ id: PointID) throws -> [ComponentName] {
        let names = held.map(\.name)
        if let missing = only?.first(where: { !names.contains($0) }) {
            throw Refusal(
                code: "not_found", reason: "point \(id) does not hold component \(missing)",
                remedy: "name one of \(names.map(\.rawValue).joined(separator: ", "))")
        }
        let chosen = held.filter {
            (scope ?? .full).covers($0) && (only?.contains($0.name) ?? true)
        }
        guard !chosen.isEmpty else {
            throw Refusal(
                code: "not_found",
                reason: "point \(id) holds no component in scope \(scope ?? .full)",
                remedy: "it holds \(names.map(\.rawValue).joined(separator: ", "))")
        }
        return chosen.map(\.name)
    }
}
