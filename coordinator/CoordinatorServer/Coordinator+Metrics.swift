package import FleetWire
import OperatorAPI
import RolloutCore

extension Coordinator {
    /// The coordinator's metrics as Prometheus text.
    package func metrics(certificateEnds: Timestamp) -> String {
        let now = clock()
        let views = order.compactMap { rollouts[$0]?.machine.view(now: now) }
        var text = PrometheusText()
        text.family(
            "belay_build_info", .gauge, "The version that runs.",
            [(["version": CoordinatorVersion.text], 1)])
        text.family(
            "belay_agents_connected", .gauge, "Agents that are connected.",
            [([:], Double(presence.count))])
        text.family(
            "belay_journal_sequence", .gauge, "Sequence number of the journal's last record.",
            [([:], Double(head))])
        text.family(
            "belay_journal_writable", .gauge, "1 while the journal can be written.",
            [([:], journalFailure == nil ? 1 : 0)])
        text.family(
            "belay_cert_expiry_timestamp_seconds", .gauge,
            "When a certificate ends, in seconds since 1970.", certificates(certificateEnds))
        text.family(
            "belay_rollout_hosts", .gauge,
            "Hosts by state, of the rollouts that are under way and the newest that ended.",
            views.flatMap(Self.hosts))
        text.family(
            "belay_gate_result", .gauge, "1 for the newest verdict of a gate.",
            views.flatMap(Self.gates))
        text.family(
            "belay_failure_budget_remaining", .gauge,
            "Hosts that may still go wrong; negative once the budget is overspent.",
            views.flatMap(Self.budgets))
        text.family(
            "belay_rollbacks_total", .counter,
            "Restores of hosts that ended since the coordinator started.",
            rollbacks.sorted { $0.key.text < $1.key.text }.map {
                ($0.key.labels, Double($0.value))
            })
        addHosts(to: &text)
        return text.text
    }

    private func addHosts(to text: inout PrometheusText) {
        text.family(
            "belay_points_damaged", .gauge,
            "Rollback points of a host that cannot be restored in full as they are.",
            registry.hosts.filter { $0.value.revoked == nil }.keys.sorted().map { host in
                let damaged = registry.troubles[host]?.count { $0.kind == "point_damaged" }
                return (["host": host.rawValue], Double(damaged ?? 0))
            })
        text.family(
            "belay_host_troubles", .gauge, "What hosts say is wrong with them, by kind.",
            troubles())
        text.family(
            "belay_point_orders", .gauge,
            "Orders about rollback points that are under way, or whose caller went away.",
            pointOrders())
    }

    private func troubles() -> [PrometheusText.Sample] {
        registry.troubles.sorted { $0.key < $1.key }.flatMap { host, troubles in
            Dictionary(grouping: troubles, by: \.kind).sorted { $0.key < $1.key }.map {
                (["host": host.rawValue, "kind": $0.key], Double($0.value.count))
            }
        }
    }

    private func pointOrders() -> [PrometheusText.Sample] {
        let open = registry.pointOrders.values.map { order in
            [
                "action": order.action.rawValue,
                "state": deserted.contains(order.operation) ? "stopping" : "running",
            ]
        }
        return Dictionary(grouping: open) { $0 }.sorted { "\($0.key)" < "\($1.key)" }.map {
            ($0.key, Double($0.value.count))
        }
    }

    /// Counts a host's restore once it has ended.
    func countRollback(_ report: TransactionReport, of id: RolloutID) {
        guard report.kind == .rolledBack || report.kind == .rollbackFailed else { return }
        let state = rollouts[id]?.machine.view(now: clock())?.state
        let kind = RollbackKind(
            scope: report.scope ?? .full,
            reason: .init(report.by, isOrdered: state == .rollingBack),
            isDone: report.kind == .rolledBack)
        rollbacks[kind, default: 0] += 1
    }

    private func certificates(_ own: Timestamp) -> [PrometheusText.Sample] {
        let hosts = registry.hosts.filter { $0.value.revoked == nil }
        return [(["subject": "coordinator"], Double(own.milliseconds / 1000))]
            + hosts.sorted { $0.key < $1.key }.map {
                (["subject": "host/\($0.key)"], Double($0.value.ends.milliseconds / 1000))
            }
    }

    private static func hosts(_ view: RolloutView) -> [PrometheusText.Sample] {
        HostState.allCases.compactMap { state in
            let count = view.hosts.count { $0.state == state }
            guard count > 0 else { return nil }
            return (
                ["rollout": view.id.rawValue, "state": state.rawValue], Double(count)
            )
        }
    }

    private static func gates(_ view: RolloutView) -> [PrometheusText.Sample] {
        view.waves.flatMap { wave in
            wave.gates.compactMap { gate in
                guard let verdict = gate.verdict else { return nil }
                return (
                    [
                        "rollout": view.id.rawValue, "wave": wave.name, "gate": gate.name,
                        "result": verdict.rawValue,
                    ], 1
                )
            }
        }
    }

    private static func budgets(_ view: RolloutView) -> [PrometheusText.Sample] {
        view.budgets.map { budget in
            (
                ["rollout": view.id.rawValue, "scope": budget.scope],
                Double(budget.limit - budget.spent.count)
            )
        }
    }
}

/// By what restores are counted.
struct RollbackKind: Hashable, Sendable {
    /// Who wanted it.
    enum Reason: String, Sendable {
        /// The coordinator, by its policy or for an operator.
        case ordered
        /// The agent itself, after a stage failed.
        case failed
        /// The guard: nobody confirmed in time.
        case unconfirmed
        /// An operator on the host.
        case operatorOnHost = "operator_on_host"

        init(_ actor: RollbackActor?, isOrdered: Bool) {
            self =
                switch actor {
                case .guard: .unconfirmed
                case .operatorOnHost: .operatorOnHost
                case .agent, nil: isOrdered ? .ordered : .failed
                }
        }
    }

    var scope: RollbackScope
    var reason: Reason
    var isDone: Bool

    var text: String { "\(scope) \(reason) \(isDone)" }

    var labels: [String: String] {
        [
            "scope": scope.description, "reason": reason.rawValue,
            "result": isDone ? "done" : "failed",
        ]
    }
}

/// Writes the Prometheus text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
struct PrometheusText {
    typealias Sample = ([String: String], Double)
    enum Kind: String { case gauge, counter }

    private(set) var text = ""

    /// Adds a family; one without samples is left out.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in samples {
            let pairs = labels.sorted { $0.key < $1.key }.map { label, value in
                "\(label)=\"\(Self.escaped(value))\""
            }
            let shown =
                value == value.rounded() && abs(value) < 1e15
                ? String(Int64(value)) : String(value)
            text +=
                name + (pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") + " \(shown)\n"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }
}
