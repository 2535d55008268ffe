import FleetWire
import RolloutCore
import RolloutPlan

/// A gate to ask: all that it needs, so that whoever carries it out makes no choice.
struct GateWork: Sendable {
    let rollout: RolloutID
    let plan: Digest
    let wave: String
    let gate: ResolvedGate
    let round: Int
    let hosts: [HostID]
    /// With checks: each host's labels.
    let labels: [HostID: [String: String]]
    /// With checks: the plan's variables.
    let variables: [String: String]

    init?(
        _ id: RolloutID, _ plan: ResolvedPlan?, wave: String, gate: ResolvedGate, round: Int,
        hosts: [HostID]
    ) {
        guard let plan else { return nil }
        rollout = id
        self.plan = plan.planDigest
        self.wave = wave
        self.gate = gate
        self.round = round
        self.hosts = hosts
        labels = Dictionary(plan.hosts.map { ($0.id, $0.labels) }) { first, _ in first }
        variables = plan.work.variables
    }
}

extension GateFinding {
    /// Nothing was found out.
    static func noData(_ why: String) -> GateFinding {
        GateFinding(
            verdict: nil, detail: "no data: \(why)".cut(toJSONBytes: GateLimits.detailBytesMax))
    }

    /// What was found out.
    static func found(_ verdict: Verdict, _ detail: String) -> GateFinding {
        GateFinding(verdict: verdict, detail: detail.cut(toJSONBytes: GateLimits.detailBytesMax))
    }
}
