import FleetWire
import Logging
import RolloutCore
import RolloutPlan

extension Coordinator {
    /// Hands a durable event to the state that it is for.
    func apply(_ input: Input, _ sequence: UInt64) {
        switch input.content {
        case .fleet(let event): apply(event, sequence)
        case .rollout(let id, let event): apply(event, to: id, sequence)
        }
    }

    private func apply(_ event: FleetEvent, _ sequence: UInt64) {
        remember(event, sequence)
        switch event {
        case .enrolled(let host, _, _, _, _):
            presence[host]?.session.close(
                farewell: Farewell(reason: "the host was enrolled anew", retryAfter: .seconds(1)))
        case .revoked(let host, let reason):
            presence[host]?.session.close(
                farewell: Farewell(reason: "revoked: \(reason)", retryAfter: nil))
        default: break
        }
    }

    /// Takes a fleet event, live or in replay.
    func remember(_ event: FleetEvent, _ sequence: UInt64) {
        directory.apply(event)
        fleetMark.take(sequence)
        switch event {
        case .enrolled(let host, _, _, _, _):
            reports[host] = nil
            noticed[host] = nil
            enrolledAt[host] = sequence
        case .revoked(let host, _): noticed[host] = nil
        case .generationRaised: raisedAt = sequence
        case .unquarantined(let digest, _): lifted.insert(digest)
        case .strayReport(let host, let number, _): count(number, of: host, at: sequence)
        default: break
        }
    }

    private func apply(_ event: RolloutEvent, to id: RolloutID, _ sequence: UInt64) {
        if case .created = event {
            rollouts[id] = Running()
            order.append(id)
        }
        rollouts[id]?.sinceCheckpoint += 1
        if case .reported(_, let report, _) = event { countRollback(report, of: id) }
        let effects = advance(id, event, sequence)
        for effect in effects { perform(effect, of: id) }
        if case .created(let definition, _, _, _) = event { catchUp(id, definition.connected) }
        if case .admitted(let connected, _) = event { catchUp(id, connected) }
    }

    /// Hands an event to its machine, live or in replay.
    func advance(
        _ id: RolloutID, _ event: RolloutEvent, _ sequence: UInt64
    ) -> [RolloutEffect] {
        if case .reported(let host, let report, _) = event {
            count(report.sequence, of: host, at: sequence)
        }
        return rollouts[id]?.take(event, sequence) ?? []
    }

    /// Tells a rollout that begins who came and went while its first event became durable.
    private func catchUp(_ id: RolloutID, _ connected: [HostID]) {
        let known = Set(connected)
        for host in rollouts[id]?.machine.planHosts ?? [] {
            let isHere = presence[host] != nil
            guard isHere != known.contains(host) else { continue }
            enqueue(
                .rollout(
                    id,
                    isHere
                        ? .connected(host, nil, at: clock()) : .disconnected(host, at: clock())),
                actor: "host:\(host)", done: nil)
        }
    }
}
