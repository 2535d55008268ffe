package import FleetWire

/// What a rollout machine can be told. Each is one record of the journal, in the rollout's stream.
package enum RolloutEvent: Codable, Sendable, Hashable {
    /// The first event, and only the first.
    case created(RolloutDefinition, id: RolloutID, by: String, at: Timestamp)
    /// An operator's command that `refusal(of:)` let through.
    case command(OperatorCommand, by: String, reason: String?, at: Timestamp)
    /// A host's report, each sequence number once and in order.
    case reported(HostID, TransactionReport, at: Timestamp)
    /// A host refused an order of this verb and attempt.
    case refused(HostID, OrderVerb, attempt: Int, Refusal, at: Timestamp)
    /// A gate's checks were run; a host that gave nothing has no results. Keys are host ids.
    case gateChecked(
        wave: String, gate: String, round: Int, results: [String: [CheckResult]], at: Timestamp)
    /// A host's session began; what stands open there.
    case connected(HostID, OpenTransaction?, at: Timestamp)
    /// A host's session ended.
    case disconnected(HostID, at: Timestamp)
    /// The coordinator started again: effects that may not have left must be given again.
    case recovered(Generation, at: Timestamp)
    /// Time passed; given at every moment that a `wake` asked for.
    case ticked(at: Timestamp)

    /// The name under which the journal keeps it.
    package var kind: String {
        switch self {
        case .created: "rollout_created"
        case .command(let command, _, _, _): "command_\(command.name)"
        case .reported(_, let report, _): "host_\(report.kind.rawValue)"
        case .refused: "host_refused"
        case .gateChecked: "gate_checked"
        case .connected: "host_connected"
        case .disconnected: "host_disconnected"
        case .recovered: "coordinator_recovered"
        case .ticked: "ticked"
        }
    }
}
