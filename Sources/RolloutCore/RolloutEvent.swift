package import FleetWire
package import RolloutPlan

/// What a rollout machine can be told. Each is one record of the journal, in the rollout's stream.
///
/// Indirect, since one case holds a whole plan: otherwise each event would take its room, and be
/// copied with it.
package indirect enum RolloutEvent: Codable, Sendable, Hashable {
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
    /// A gate that asks no host was asked: a metric, a webhook or a Prometheus server.
    case gateProbed(wave: String, gate: String, round: Int, GateFinding, at: Timestamp)
    /// The plan's calendar was read, as `readCalendar` asked.
    case calendarRead(CalendarReading, at: Timestamp)
    /// A rollout that waited for others to let go of its hosts may begin; who is connected now.
    case admitted(connected: [HostID], at: Timestamp)
    /// A host of this name was enrolled with a new identity: what the old one held is gone. Comes
    /// before the first `connected` of the new one.
    case replaced(HostID, at: Timestamp)
    /// A host was compared with its rollback point after a rehearsal.
    case compared(HostID, PointComparison, at: Timestamp)
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
        case .gateProbed: "gate_probed"
        case .calendarRead: "calendar_read"
        case .admitted: "rollout_admitted"
        case .replaced: "host_replaced"
        case .compared: "host_compared"
        case .connected: "host_connected"
        case .disconnected: "host_disconnected"
        case .recovered: "coordinator_recovered"
        case .ticked: "ticked"
        }
    }
}

/// What a gate that asks no host found.
package struct GateFinding: Codable, Sendable, Hashable {
    /// Nil if there was no data; the gate's `onNoData` says what that is.
    package var verdict: Verdict?
    /// One sentence with what was measured, over how many samples, and the limit.
    package var detail: String
    /// A finding of these fields.
    package init(verdict: Verdict?, detail: String) {
        self.verdict = verdict
        self.detail = detail
    }
}

/// A host's present state against its rollback point.
package struct PointComparison: Codable, Sendable, Hashable {
    /// The point.
    package var point: PointID?
    /// Entries that differ; nil if it could not be compared.
    package var differences: Int?
    /// One sentence: the first differences, or why it could not be compared.
    package var detail: String
    /// A comparison of these fields.
    package init(point: PointID?, differences: Int?, detail: String) {
        self.point = point
        self.differences = differences
        self.detail = detail
    }
}
