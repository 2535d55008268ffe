import FleetWire
import Logging
import OperatorAPI
import RolloutCore
import RolloutPlan

extension Coordinator {
    /// Lets one effect of a machine go. The record that it follows from is durable.
    func perform(_ effect: RolloutEffect, of id: RolloutID) {
        switch effect {
        case .order(let host, let order): presence[host]?.session.post(order)
        case .evaluateGate(let wave, let gate, let round, let hosts):
            guard let plan = rollouts[id]?.machine.definition?.plan else { return }
            let labels = Dictionary(plan.hosts.map { ($0.id, $0.labels) }) { first, _ in first }
            work.yield(
                GateWork(
                    rollout: id, wave: wave, gate: gate.name, round: round,
                    request: CheckRequest(
                        checks: gate.checks, variables: plan.work.variables, labels: [:]),
                    labels: labels, hosts: hosts))
        case .note(let entry):
            logger.log(
                level: Self.level(of: entry), "\(entry.text)",
                metadata: ["rollout": "\(id)", "host": "\(entry.host?.rawValue ?? "-")"])
        case .quarantine(let digests, let reason, _): quarantine(digests, reason: reason, of: id)
        case .readCalendar, .compare: break
        case .wake(let at):
            let earlier = rollouts[id]?.wakeAt.map { min($0, at) } ?? at
            rollouts[id]?.wakeAt = earlier
        }
    }

    private static func level(of entry: HistoryEntry) -> Logger.Level {
        switch entry.level {
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }

    func quarantine(_ digests: [Digest], reason: String, of id: RolloutID) {
        let now = clock()
        let entries = digests.map {
            QuarantineView(digest: $0, reason: reason, rollout: id, at: now)
        }
        enqueue(.fleet(.quarantined(entries: entries)), actor: "coordinator", done: nil)
    }

    /// Runs a gate's checks on all its hosts; a host that cannot be asked gives no results, and
    /// what has no result never passes.
    func evaluate(_ item: GateWork) async {
        var results: [String: [CheckResult]] = [:]
        await withTaskGroup(of: (String, [CheckResult]).self) { group in
            for host in item.hosts {
                var request = item.request
                request.labels = item.labels[host] ?? [:]
                let asked = request
                group.addTask {
                    let reply = try? await self.check(asked, on: host)
                    return (host.rawValue, reply?.results ?? [])
                }
            }
            for await (host, found) in group { results[host] = found }
        }
        enqueue(
            .rollout(
                item.rollout,
                .gateChecked(
                    wave: item.wave, gate: item.gate, round: item.round, results: results,
                    at: clock())),
            actor: "coordinator", done: nil)
    }

    func session(of host: HostID) throws -> AgentSession {
        guard let session = presence[host]?.session else {
            throw APIFailure(
                code: "unreachable", message: "the agent of \(host) is not connected",
                remedy: "look at its log; on the host: `belay-agent run`")
        }
        return session
    }

    func check(_ request: CheckRequest, on host: HostID) async throws -> CheckReply {
        try await session(of: host).ask(.check, request).body(CheckReply.self)
    }
}
