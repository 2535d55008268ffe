import AgentCore
import FleetWire

/// One line for an event or an effect, as transcripts show it.
func describe(_ event: HostEvent) -> String {
    switch event {
    case .started(let outcome): "started" + (outcome.map { ", guard \($0.ending.rawValue)" } ?? "")
    case .order(let order, let generation, _):
        "order \(order.verb.rawValue) of \(order.rollout)/\(order.attempt) "
            + "(generation \(generation.rawValue))"
            + (order.scope.map { " scope \($0)" } ?? "")
            + (order.acrossPointOfNoReturn == true ? " across the point of no return" : "")
    case .term(let generation): "term \(generation.rawValue)"
    case .connected: "connected"
    case .disconnected: "disconnected"
    case .acknowledged(let sequence): "acknowledged \(sequence)"
    case .finished(let work, let result): "work \(work): \(describe(result))"
    case .guardActed(let outcome): "the guard acted: \(outcome.ending.rawValue)"
    case .tick: "tick"
    case .operatorRollback(_, let scope, _, let across, let reason):
        "operator rolls back \(scope)" + (across == true ? " across the point of no return" : "")
            + (reason.map { " (\($0))" } ?? "")
    case .restore(let wanted):
        "restore \(wanted.point) of " + wanted.chosen.map(\.rawValue).joined(separator: ",")
            + (wanted.noCapture ? ", no capture" : "")
    case .stopRestore: "stop the restore"
    }
}

func describe(_ result: WorkResult) -> String {
    switch result {
    case .done: "done"
    case .problem(let reason): "problem: \(reason)"
    case .point: "captured"
    case .step(let outcome): "step \(outcome.status.rawValue)"
    case .checks(let found): "checks " + found.map(\.status.rawValue).joined(separator: ",")
    case .evidence: "evidence"
    case .restored: "restored"
    case .restoredPoint(let changed, let removed, _):
        "restored, \(changed) changed, \(removed) removed"
    case .notRestored(let reason, _): "not restored: \(reason)"
    case .guardActed(let outcome): "the guard acted: \(outcome.ending.rawValue)"
    }
}

func describe(_ effect: HostEffect) -> String {
    switch effect {
    case .fetch(let work, let artifact): "\(work) fetch \(artifact.name)"
    case .checkSpace(let work, _): "\(work) check space"
    case .capture(let work, _, let reason, _): "\(work) capture \(reason)"
    case .arm(let work, let order): "\(work) arm guard within \(order.within.count) ms"
    case .rearm(let order):
        "rearm guard within \(order.within.count) ms\(order.holding ? ", holding" : "")"
    case .disarm(let work, _, _): "\(work) disarm guard"
    case .step(let work, let step, let stage, _): "\(work) run \(stage.rawValue)/\(step.name)"
    case .pause(let work, let span): "\(work) pause \(span.count) ms"
    case .checks(let work, let checks, _):
        "\(work) check " + checks.map(\.name).joined(separator: ",")
    case .evidence(let work, _, let reason): "\(work) keep evidence: \(reason)"
    case .restore(let work, _, let names, _, _):
        "\(work) restore " + (names.map { $0.map(\.rawValue).joined(separator: ",") } ?? "all")
    case .saveBefore(let work, let wanted): "\(work) save before restore of \(wanted.point)"
    case .restorePoint(let work, let wanted): "\(work) restore point \(wanted.point)"
    case .cancel(let work): "cancel \(work)"
    case .reconnect: "reconnect"
    case .send(let report): describe(report)
    case .refuse(_, let refusal): "refuse \(refusal.code): \(refusal.reason)"
    }
}

private func describe(_ report: TransactionReport) -> String {
    "report \(report.sequence) \(report.kind.rawValue)"
        + (report.step.map { " \($0.name)#\($0.attempt)" } ?? "")
        + (report.mutated.map { " mutated=\($0)" } ?? "")
        + (report.scope.map { " scope=\($0)" } ?? "")
        + (report.by.map { " by=\($0.rawValue)" } ?? "")
        + (report.failure.map { " (\($0))" } ?? "")
}
