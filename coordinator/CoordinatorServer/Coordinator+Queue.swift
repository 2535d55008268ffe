import FleetWire
import OperatorAPI
import RolloutCore
import RolloutPlan

/// Rollouts that wait for others to let go of their hosts: admitted in the order in which they were
/// made, each as soon as nobody before it holds or waits for any of its hosts.
extension Coordinator {
    /// Rollouts that must let go of some of these hosts, or begin and let go of them, before `id` can
    /// begin; nil is a rollout that is not made yet.
    func ahead(of hosts: Set<HostID>, before id: RolloutID?) -> [RolloutID] {
        let place = id.flatMap { order.firstIndex(of: $0) } ?? order.endIndex
        return order.indices.compactMap { index in
            guard order[index] != id, let machine = rollouts[order[index]]?.machine else {
                return nil
            }
            let wanted =
                machine.isQueued
                ? (index < place ? machine.planHosts : []) : machine.heldHosts
            return wanted.contains(where: hosts.contains) ? order[index] : nil
        }
    }

    /// Where a queued rollout stands; nil for any other.
    func queue(of id: RolloutID) -> QueueView? {
        guard let machine = rollouts[id]?.machine, machine.isQueued else { return nil }
        let others = ahead(of: Set(machine.planHosts), before: id)
        return QueueView(
            position: 1 + others.count { rollouts[$0]?.machine.isQueued == true },
            waitsFor: others)
    }

    /// What a queued rollout waits for; nil for any other.
    func queueWhy(of id: RolloutID) -> WhyView? {
        guard let machine = rollouts[id]?.machine, let queue = queue(of: id) else { return nil }
        let mine = Set(machine.planHosts)
        let held = queue.waitsFor.flatMap { rollouts[$0]?.machine.heldHosts ?? [] }
        let others = queue.waitsFor.map(\.rawValue).joined(separator: ", ")
        var waitsFor = "It is number \(queue.position) in the queue"
        if !others.isEmpty { waitsFor += ", behind \(others)" }
        if let restoring = restoreConflict(mine) { waitsFor += "; \(restoring.message)" }
        return WhyView(
            waitsFor: waitsFor, since: machine.createdAt,
            next: "it begins as soon as its hosts are free; `belay rollout abort \(id)` ends it",
            nextAt: nil, hosts: Set(held).intersection(mine).sorted())
    }

    /// Why a rollout is not admitted now; nil if it may begin.
    func refusal(ofAdmitting id: RolloutID) -> APIFailure? {
        guard let machine = rollouts[id]?.machine, machine.isQueued else {
            return APIFailure(code: "conflict", message: "rollout \(id) is not queued")
        }
        let hosts = Set(machine.planHosts)
        if let failure = staleness(hosts) ?? restoreConflict(hosts) { return failure }
        guard let first = ahead(of: hosts, before: id).first else { return nil }
        return APIFailure(code: "conflict", message: "rollout \(first) comes before")
    }

    /// Admits whoever can begin; whether that still holds is looked at again before it is durable.
    func admitQueued(_ now: Timestamp) {
        for id in order where rollouts[id]?.machine.isQueued == true {
            guard refusal(ofAdmitting: id) == nil, !isAdmitting(id) else { continue }
            enqueue(
                .rollout(id, .admitted(connected: [], at: now)), actor: "coordinator", done: nil)
        }
    }

    /// A host that is late in an older rollout and goes with a newer one does not go with the older
    /// one any more: the versions would change places.
    func leftOut(of id: RolloutID, _ hosts: Set<HostID>, by: String, _ actor: String) -> [Input] {
        order.filter { $0 != id }.flatMap { older in
            (rollouts[older]?.machine.lateHosts ?? []).filter(hosts.contains).map { host in
                Input(
                    content: .rollout(
                        older,
                        .command(
                            .skip(host: host), by: by,
                            reason: "the newer rollout \(id) takes it", at: clock())),
                    actor: actor, done: nil)
            }
        }
    }

    /// True if its admission waits to become durable.
    private func isAdmitting(_ id: RolloutID) -> Bool {
        pending.contains { input in
            if case .rollout(id, .admitted) = input.content { true } else { false }
        }
    }
}
