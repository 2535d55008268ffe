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
            let plan = rollouts[id]?.machine.definition?.plan
            let item = GateWork(id, plan, wave: wave, gate: gate, round: round, hosts: hosts)
            if let item { work.yield(item) }
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
