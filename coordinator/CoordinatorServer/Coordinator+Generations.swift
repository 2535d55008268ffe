import FleetWire
import Logging
import OperatorAPI
import RolloutCore
import StateStore

/// A host that has followed a newer coordinator than this one (docs/reference/generations.md).
struct Ahead: Sendable {
    var generation: Generation
    var since: Timestamp
}

extension Coordinator {
    /// Raises the generation, and keeps in the journal that an operator asked for `least`: reports
    /// of hosts may then be missing, because their journal is lost.
    func beginTerm(atLeast least: Generation) async throws {
        if least.rawValue > 0 {
            let event = FleetEvent.generationRaised(to: least)
            _ = try await store.append(
                [
                    NewRecord(
                        at: clock(), actor: "coordinator", stream: "fleet", kind: event.kind,
                        payload: try WireJSON.encode(event))
                ], expecting: try await store.lastSequence())
        }
        generation = try await store.raiseGeneration(atLeast: least)
        if least.rawValue > 0 {
            logger.warning(
                "an operator raised the generation",
                metadata: ["asked": "\(least.rawValue)", "now": "\(generation.rawValue)"])
        }
    }

    /// Notices a host that has seen a higher generation: it refuses our orders.
    func compare(_ seen: Generation, of host: HostID, now: Timestamp) {
        guard seen > generation else {
            ahead[host] = nil
            return
        }
        ahead[host] = Ahead(generation: seen, since: ahead[host]?.since ?? now)
        if let problem = staleness(Set(ahead.keys)) { logger.critical("\(problem.message)") }
    }

    /// Why these hosts cannot be given orders; nil if all of them can.
    func staleness(_ hosts: Set<HostID>) -> APIFailure? {
        let refusing = hosts.filter { ahead[$0] != nil }.sorted()
        guard let first = refusing.first, let newest = ahead.values.map(\.generation).max() else {
            return nil
        }
        return APIFailure(
            code: "conflict",
            message: "this coordinator's state is older than its fleet: it is in generation "
                + "\(generation.rawValue), and \(refusing.count) of the hosts (\(first)"
                + (refusing.count > 1 ? ", …" : "") + ") have followed generation "
                + "\(newest.rawValue) and refuse older orders",
            remedy: "stop it. If a newer state exists, run that one. Else run once with "
                + "`belay-coordinator run --raise-generation-to \(newest.rawValue + 1)`; what was "
                + "decided in between stays lost (docs/reference/generations.md)")
    }

    /// What an open rollout waits for while some of its hosts refuse our orders.
    func staleness(of view: RolloutView, host: HostID?) -> WhyView? {
        let hosts = Set(host.map { [$0] } ?? view.hosts.map(\.id))
        guard let problem = staleness(hosts) else { return nil }
        let refusing = hosts.filter { ahead[$0] != nil }.sorted()
        return WhyView(
            waitsFor: problem.message,
            since: refusing.compactMap { ahead[$0]?.since }.min() ?? clock(),
            next: problem.remedy ?? "", nextAt: nil, hosts: refusing)
    }
}
