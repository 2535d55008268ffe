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
        case .quarantine(let digests, let reason, let until):
            quarantine(digests, reason: reason, until: until, of: id)
        case .readCalendar(let calendar): read(calendar, for: id)
        case .compare(let host, let point):
            comparing.yield(Comparison(rollout: id, host: host, point: point))
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

    func quarantine(_ digests: [Digest], reason: String, until: Timestamp? = nil, of id: RolloutID)
    {
        let now = clock()
        let plan = rollouts[id]?.machine.definition?.plan
        let entries = digests.map { digest in
            var entry = QuarantineView(digest: digest, reason: reason, rollout: id, at: now)
            entry.until = until
            if digest == plan?.planDigest {
                entry.kind = .plan
                entry.name = plan?.name
            } else if let artifact = plan?.artifacts.first(where: { $0.digest == digest }) {
                entry.kind = .artifact
                entry.name = artifact.name
            }
            return entry
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
